package validate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/row"
)

// changedFormat is written into every position and grows with its meaning.
const changedFormat = 1

// changed is how far an incremental run has come.
type changed struct {
	// Since is when changes were followed first, and Verified up to when all of
	// them were looked at, both by the authority's clock.
	Since, Verified time.Time
	// From is the time, as the column writes it, before which all rows were
	// handed out; After is the last one of a batch that ended amid them, nil
	// else: thousands of rows may have one time.
	From  time.Time
	After row.Key

	// now is the authority's clock when this machine's was at, and held what
	// kept the horizon back; they are not kept.
	now, at time.Time
	held    string
}

type changedJSON struct {
	Format      int       `json:"format"`
	Fingerprint string    `json:"fingerprint"`
	Since       time.Time `json:"since"`
	Verified    time.Time `json:"verified"`
	From        time.Time `json:"from"`
	After       [][]byte  `json:"after,omitempty"`
}

func (c changed) encode(fingerprint string) ([]byte, error) {
	out := changedJSON{Format: changedFormat, Fingerprint: fingerprint, Since: c.Since, Verified: c.Verified, From: c.From}
	for _, v := range c.After {
		out.After = append(out.After, append([]byte{}, v...))
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("write the position among changes: %w", err)
	}
	return data, nil
}

func decodeChanged(data []byte) (c changed, fingerprint string, err error) {
	var in changedJSON
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil || in.Format != changedFormat {
		return c, "", fmt.Errorf("read the position among changes: it is of another version (format %d, want %d; %w)", in.Format, changedFormat, err)
	}
	c = changed{Since: in.Since, Verified: in.Verified, From: in.From}
	for _, v := range in.After {
		c.After = append(c.After, append(row.Value{}, v...))
	}
	return c, in.Fingerprint, nil
}

// load goes on from what is kept. A position of another comparison says nothing
// about this one: changes are followed anew from now on, and what changed
// before is for a full run.
func (i *incremental) load(ctx context.Context) error {
	data, err := i.Progress.Load(ctx)
	if err != nil {
		return fmt.Errorf("load the position among changes of %s: %w", i.spec.Pair.Name, err)
	}
	if len(data) == 0 {
		return nil
	}
	position, kept, err := decodeChanged(data)
	if err == nil && kept == i.fingerprint {
		i.position, i.horizon = position, position.Verified
		return nil
	}
	reason := fmt.Sprint(err)
	if err == nil {
		reason = "the position kept among changes belongs to another comparison: " + differing(i.aspects(), kept, i.fingerprint)
	}
	i.observer.Warn(i.spec.Pair.Name, reason+"; following changes anew from now on, run a full comparison for what came before")
	return nil
}
