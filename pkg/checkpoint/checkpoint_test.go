package checkpoint

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

type store interface {
	Load(ctx context.Context, id string) ([]byte, error)
	Save(ctx context.Context, id string, position []byte) error
}

func TestPositionsAreKeptUnderTheirNames(t *testing.T) {
	file, err := OpenFile(filepath.Join(t.TempDir(), "positions.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]store{"memory": &Memory{}, "file": file} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			load := func(id string) []byte {
				t.Helper()
				position, err := s.Load(ctx, id)
				if err != nil {
					t.Fatal(err)
				}
				return position
			}
			save := func(id string, position []byte) {
				t.Helper()
				if err := s.Save(ctx, id, position); err != nil {
					t.Fatal(err)
				}
			}
			if got := load("orders"); got != nil {
				t.Errorf("nothing saved, loaded %q", got)
			}
			first := []byte("one\x00\xff")
			save("orders", first)
			save("items", []byte("two"))
			first[0] = 'X' // the store keeps its own
			if got := load("orders"); !bytes.Equal(got, []byte("one\x00\xff")) {
				t.Errorf("loaded %q", got)
			}
			load("orders")[0] = 'X'
			if got := load("orders"); got[0] != 'o' {
				t.Error("what is loaded is what is kept")
			}
			save("orders", nil)
			if load("orders") != nil || string(load("items")) != "two" {
				t.Error("forgetting one position touched the other, or did not forget")
			}
			save("orders", nil) // twice does no harm
		})
	}
}

func TestAFileIsReadBackByTheNextProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "positions.json")
	for n := range 3 {
		f, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for id := range n {
			if got, _ := f.Load(t.Context(), fmt.Sprint(id)); string(got) != fmt.Sprint("at ", id) {
				t.Errorf("process %d: position %d is %q", n, id, got)
			}
		}
		if err := f.Save(t.Context(), fmt.Sprint(n), fmt.Append(nil, "at ", n)); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("files left beside it: %v, %v", left, err)
	}
}

func TestAFileThatCannotBeReadIsAnErrorWithAWayOut(t *testing.T) {
	for content, want := range map[string]string{
		"":                             "delete the file",
		"{":                            "delete the file",
		`{"format":2,"positions":{}}`:  "format 2",
		`{"format":1,"postions":{}}`:   "delete the file",
		`{"format":1,"positions":[1]}`: "delete the file",
	} {
		path := filepath.Join(t.TempDir(), "positions.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFile(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q in it", content, err, want)
		}
		if got, _ := os.ReadFile(path); string(got) != content {
			t.Errorf("%s: the file was touched", content)
		}
	}
}

func TestASaveThatFailsLeavesTheOldPosition(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(filepath.Join(dir, "positions.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Save(t.Context(), "orders", []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(t.Context(), "orders", []byte("new")); err == nil {
		t.Fatal("saved into a directory that is gone")
	}
	if got, _ := f.Load(t.Context(), "orders"); string(got) != "old" {
		t.Errorf("loaded %q", got)
	}
}

func TestSeveralRunsShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "positions.json")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for id := range 8 {
		wg.Go(func() {
			for n := range 5 {
				if err := f.Save(t.Context(), fmt.Sprint(id), fmt.Append(nil, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	again, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for id := range 8 {
		if got, _ := again.Load(t.Context(), fmt.Sprint(id)); string(got) != "4" {
			t.Errorf("run %d is at %q", id, got)
		}
	}
}
