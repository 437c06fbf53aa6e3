package checkpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// fileFormat is written into the file and grows whenever its shape changes.
const fileFormat = 1

// fileMode keeps the file to its owner: positions hold keys, and keys may be
// e-mail addresses.
const fileMode fs.FileMode = 0o600

// File keeps the positions of several runs in one JSON file. Every Save
// replaces the file as a whole, so that a crash leaves the old or the new one.
// It is safe for concurrent use within a process; two processes must not share
// a file.
type File struct {
	path string

	mu        sync.Mutex
	positions map[string][]byte
}

type fileJSON struct {
	Format    int               `json:"format"`
	Positions map[string][]byte `json:"positions"`
}

// OpenFile reads the file at path; one that does not exist yet is empty. A
// file this version cannot read is an error, never an empty one: starting over
// without a word is the user's decision.
func OpenFile(path string) (*File, error) {
	f := &File{path: path, positions: map[string][]byte{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint file: %w", err)
	}
	content, err := decodeFile(data)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint file %s: %w", path, err)
	}
	if content.Positions != nil {
		f.positions = content.Positions
	}
	return f, nil
}

func decodeFile(data []byte) (fileJSON, error) {
	var content fileJSON
	var format struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &format); err != nil {
		return content, fmt.Errorf("%w; delete the file to start over", err)
	}
	if format.Format != fileFormat {
		return content, fmt.Errorf("it has format %d and this version reads format %d; "+
			"go on with the version that wrote it, or delete the file to start over", format.Format, fileFormat)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&content); err != nil {
		return content, fmt.Errorf("%w; delete the file to start over", err)
	}
	return content, nil
}

// Load returns the position saved last under id, or nil when there is none.
func (f *File) Load(_ context.Context, id string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.positions[id]), nil
}

// Save keeps the position under id and returns once it is on the disk; an
// empty one is forgotten. When it fails, Load returns what it did before, and
// the file holds the old positions or the new ones.
func (f *File) Save(_ context.Context, id string, position []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := make(map[string][]byte, len(f.positions)+1)
	for k, v := range f.positions {
		next[k] = v
	}
	if len(position) == 0 {
		delete(next, id)
	} else {
		next[id] = slices.Clone(position)
	}
	data, err := json.MarshalIndent(fileJSON{Format: fileFormat, Positions: next}, "", "  ")
	if err != nil {
		return fmt.Errorf("write the checkpoint file %s: %w", f.path, err)
	}
	if err := replaceFile(f.path, append(data, '\n')); err != nil {
		return fmt.Errorf("write the checkpoint file: %w", err)
	}
	f.positions = next
	return nil
}

// replaceFile writes beside the file and renames over it. Without the first
// sync the rename may reach the disk before the data; without the second the
// rename itself may be lost.
func replaceFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // created with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // after the rename there is nothing left to remove
	err = errors.Join(temp.Chmod(fileMode), write(temp, data))
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func write(f *os.File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
