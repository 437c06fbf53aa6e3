package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Save writes the page to the file at path, which holds the old page or the
// new one at every moment, even if the machine fails. Only its owner may read
// a new file: keys can be e-mail addresses.
func Save(path string, p Page) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // created with mode 0600
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	defer os.Remove(temp.Name()) // after the rename there is nothing left to remove
	err = Render(temp, p)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return syncDir(dir)
}

// syncDir makes the rename itself survive a failure.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
