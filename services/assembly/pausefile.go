package assembly

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

const (
	// lookAtFile is the time between two looks at the pause file.
	lookAtFile = time.Second
	// pauseUnsaid is how long a file pauses that does not say it.
	pauseUnsaid = time.Hour
	// maxPauseText is what is read of a file; a reason is a sentence.
	maxPauseText = 1 << 10
)

// filePause is the pause a file asks for: its text is a duration, counted from
// its last change, and a reason. Without a duration it is an hour: a file that
// was forgotten must not pause for ever.
func filePause(text string, changed time.Time) (reason string, until time.Time) {
	first, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	d, err := time.ParseDuration(first)
	if err != nil || d <= 0 {
		d, rest = pauseUnsaid, text
	}
	reason = strings.Join(strings.Fields(rest), " ")
	if reason == "" {
		reason = "the pause file is there"
	}
	return reason, changed.Add(min(d, maxPauseFor))
}

// followFile pauses all governors while the pause file asks for it, and ends the
// pause when the file is removed. A file that is there and cannot be read pauses
// as well: somebody meant something by it.
func (g *Governors) followFile(ctx context.Context) {
	path := g.file.Governor.PauseFile
	pulse := time.NewTicker(lookAtFile)
	defer pulse.Stop()
	var reason string
	var until time.Time
	for {
		newReason, newUntil := readPause(path)
		if newReason != reason || !newUntil.Equal(until) {
			reason, until = newReason, newUntil
			g.orderByFile(reason, until)
		}
		select {
		case <-ctx.Done():
			return
		case <-pulse.C:
		}
	}
}

// readPause is the pause the file asks for now; no reason when there is no file.
func readPause(path string) (string, time.Time) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", time.Time{}
	}
	if err != nil {
		return "the pause file cannot be read", time.Now().Truncate(pauseUnsaid).Add(2 * pauseUnsaid)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "the pause file cannot be read", time.Now().Truncate(pauseUnsaid).Add(2 * pauseUnsaid)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxPauseText))
	if err != nil {
		text = nil
	}
	return filePause(string(text), info.ModTime())
}
