package chunk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/trueup/trueup/pkg/row"
)

// positionFormat is written into every position and grows whenever the meaning
// of a field changes.
const positionFormat = 1

// Tally counts what ranges held and what was found in them.
type Tally struct {
	AuthorityRows int64 `json:"authority_rows"`
	CopyRows      int64 `json:"copy_rows"`
	TargetMissing int64 `json:"target_missing"`
	NotEqual      int64 `json:"neq"`
	BaseMissing   int64 `json:"base_missing"`
}

// Add adds other to t.
func (t *Tally) Add(other Tally) {
	t.AuthorityRows += other.AuthorityRows
	t.CopyRows += other.CopyRows
	t.TargetMissing += other.TargetMissing
	t.NotEqual += other.NotEqual
	t.BaseMissing += other.BaseMissing
}

// Findings is the number of findings of all kinds.
func (t Tally) Findings() int64 { return t.TargetMissing + t.NotEqual + t.BaseMissing }

// Work is a range to be worked through in one pass of a run.
type Work struct {
	Pass  int
	Range row.Range
}

// Position is how far a run has come: every range up to After in the pass Pass
// is settled, but for those in Again.
type Position struct {
	// Fingerprint identifies what was compared with what, and how. A position
	// with another fingerprint means nothing to a run.
	Fingerprint string
	Pass        int
	// After is the last key of the settled ranges; nil at the start of a pass.
	After row.Key
	// Again are ranges before After that must be worked through once more.
	Again []Work
	// Tally counts what the settled ranges held, those in Again left out.
	Tally Tally
}

// The wire form. Keys are bytes, in base64: a key may hold anything.
type (
	positionJSON struct {
		Format      int        `json:"format"`
		Fingerprint string     `json:"fingerprint"`
		Pass        int        `json:"pass"`
		After       [][]byte   `json:"after"`
		Again       []workJSON `json:"again,omitempty"`
		Tally       Tally      `json:"tally"`
	}
	workJSON struct {
		Pass    int      `json:"pass"`
		After   [][]byte `json:"after"`
		Through [][]byte `json:"through"`
	}
)

// Encode writes the position down. Whoever stores it need not understand it.
func (p Position) Encode() ([]byte, error) {
	out := positionJSON{
		Format: positionFormat, Fingerprint: p.Fingerprint, Pass: p.Pass, After: keyBytes(p.After), Tally: p.Tally,
	}
	for _, w := range p.Again {
		out.Again = append(out.Again, workJSON{Pass: w.Pass, After: keyBytes(w.Range.After), Through: keyBytes(w.Range.Through)})
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("write a run's position: %w", err)
	}
	return data, nil
}

// DecodePosition reads a position back. A position of another format is an
// error that says what to do, never a guess.
func DecodePosition(data []byte) (Position, error) {
	var format struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &format); err != nil {
		return Position{}, fmt.Errorf("read a run's position: %w; remove it to start the run over", err)
	}
	if format.Format != positionFormat {
		return Position{}, fmt.Errorf("read a run's position: it has format %d and this version reads format %d; "+
			"go on with the version that wrote it, or remove it to start the run over", format.Format, positionFormat)
	}
	var in positionJSON
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return Position{}, fmt.Errorf("read a run's position: %w; remove it to start the run over", err)
	}
	if in.Pass < 0 || slices.ContainsFunc(in.Again, func(w workJSON) bool { return w.Pass < 0 }) {
		return Position{}, errors.New("read a run's position: a pass is negative; remove it to start the run over")
	}
	p := Position{Fingerprint: in.Fingerprint, Pass: in.Pass, After: bytesKey(in.After), Tally: in.Tally}
	for _, w := range in.Again {
		p.Again = append(p.Again, Work{Pass: w.Pass, Range: row.Range{After: bytesKey(w.After), Through: bytesKey(w.Through)}})
	}
	return p, nil
}

func keyBytes(key row.Key) [][]byte {
	if key == nil {
		return nil
	}
	out := make([][]byte, len(key))
	for i, v := range key {
		// A key holds no NULL; nil would be written as null and read as one.
		out[i] = append([]byte{}, v...)
	}
	return out
}

func bytesKey(values [][]byte) row.Key {
	if values == nil {
		return nil
	}
	key := make(row.Key, len(values))
	for i, v := range values {
		key[i] = append(row.Value{}, v...)
	}
	return key
}
