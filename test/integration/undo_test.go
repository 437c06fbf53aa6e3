package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
)

// told is a line of history --json, or of undo --json.
type told struct {
	Event, Kind, Action, Result, Run, Reason string

	Age    float64 `json:"age_seconds"`
	UndoOf string  `json:"undo_of"`
	Writes []struct {
		Before string                    `json:"before_digest"`
		After  string                    `json:"after_digest"`
		Values map[string]map[string]any `json:"values"`
	}
	Undo *struct{ Undone, Already, Left int }
}

func toldBy(t *testing.T, text string) []told {
	t.Helper()
	var out []told
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var l told
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		out = append(out, l)
	}
	return out
}

// counts are those that undo --json ends with, and the name of its run.
func counts(t *testing.T, text string) (counts, run string) {
	t.Helper()
	lines := toldBy(t, text)
	last := lines[len(lines)-1]
	if last.Undo == nil {
		t.Fatalf("no counts in %s", text)
	}
	return fmt.Sprintf("%d undone, %d already, %d left", last.Undo.Undone, last.Undo.Already, last.Undo.Left), last.Run
}

func TestARunIsUndoneAndItsStoryIsTold(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{{maria, postgres}, {postgres, maria}} {
		t.Run(d.String(), func(t *testing.T) {
			w := newWorld(t, d, "pairs: [{name: items, columns: [shop, id, state, note], images: changed}]\n"+
				"validator: {confirm: 0s}\nfixer: {digest_key: \"a secret of the test\"}")
			for _, dsn := range []string{w.source, w.target} {
				testenv.Exec(t, dsn, "CREATE TABLE items (shop VARCHAR(20) NOT NULL, id BIGINT NOT NULL, state VARCHAR(20), note VARCHAR(20), own VARCHAR(20) DEFAULT 'default', PRIMARY KEY (shop, id))")
			}
			testenv.Exec(t, w.source, "INSERT INTO items (shop, id, state, note) VALUES ('a,b', 1, 'new', 'n'), ('a,b', 2, 'new', NULL), ('c', 1, 'new', 'n'), ('c', 9, 'new', 'n')")
			testenv.Exec(t, w.target, "INSERT INTO items VALUES ('a,b', 1, 'old', 'n', 'mine'), ('c', 1, 'new', NULL, 'mine'), ('d', 7, 'extra', 'n', 'mine'), ('c', 9, 'new', 'n', 'mine')")
			content := func() string {
				all := "SELECT string_agg(concat_ws(' ', shop, id, state, coalesce(note, 'NULL'), own), '; ' ORDER BY shop, id) FROM items"
				if d.target.name == maria.name {
					all = "SELECT group_concat(concat_ws(' ', shop, id, state, coalesce(note, 'NULL'), own) ORDER BY shop, id SEPARATOR '; ') FROM items"
				}
				return scan[string](t, w.target, all)
			}
			damaged := content()
			w.must(1, "validator", "--config", w.config, "--once")
			fixer := start(t, "fixer", "--config", w.config)
			w.drained()
			fixer.stop()
			repaired := content()
			if want := "a,b 1 new n mine; a,b 2 new NULL default; c 1 new n mine; c 9 new n mine"; repaired != want {
				t.Fatalf("the copy holds %s\nwant %s", repaired, want)
			}

			story := toldBy(t, w.must(0, "trueup", "history", "items", `shop="a,b", id=1`, "--config", w.config, "--json"))
			if len(story) != 2 || story[0].Event != "found" || story[0].Kind != "neq" || story[1].Event != "repaired" || story[1].Action != "update" || story[1].Age <= 0 {
				t.Fatalf("the story is %+v", story)
			}
			if change := story[1].Writes[0].Values["state"]; change["before"] != "old" || change["after"] != "new" || len(story[1].Writes[0].Values) != 1 {
				t.Errorf("the images are %+v", story[1].Writes)
			}
			run := story[1].Run
			undo := func(status int, args ...string) (string, string) {
				t.Helper()
				return counts(t, w.must(status, "trueup", append([]string{"undo", "--config", w.config, "--pair", "items", "--json"}, args...)...))
			}
			if got, _ := undo(0, "--run", run, "--dry-run"); got != "4 undone, 0 already, 0 left" || content() != repaired {
				t.Errorf("dry run: %s, the copy holds %s", got, content())
			}
			if got, _ := undo(0, "--run", "another"); got != "0 undone, 0 already, 0 left" {
				t.Errorf("a run that does not exist: %s", got)
			}
			if got, _ := undo(0, "--key", `{"shop":"d","id":7}`); got != "1 undone, 0 already, 0 left" || !strings.Contains(content(), "d 7 extra n mine") {
				t.Errorf("one key: %s, the copy holds %s", got, content())
			}
			testenv.Exec(t, w.target, "UPDATE items SET note = 'since' WHERE shop = 'c' AND id = 1")
			got, undoRun := undo(1, "--since", "10m")
			if want := strings.Replace(damaged, "c 1 new NULL", "c 1 new since", 1); got != "2 undone, 0 already, 1 left" || content() != want {
				t.Errorf("all since: %s, the copy holds\n%s\nwant\n%s", got, content(), want)
			}
			if got, _ := undo(1, "--run", run); got != "0 undone, 0 already, 1 left" {
				t.Errorf("the same again: %s", got)
			}

			story = toldBy(t, w.must(0, "trueup", "history", "items", `{"shop":"a,b","id":1}`, "--config", w.config, "--json"))
			if last := story[len(story)-1]; len(story) != 3 || last.Event != "undone" || last.UndoOf == "" || last.Run != undoRun {
				t.Errorf("the story is %+v", story)
			}
			if got, _ := undo(0, "--run", undoRun); got != "2 undone, 0 already, 0 left" || !strings.Contains(content(), "a,b 1 new n mine; a,b 2 new NULL default") {
				t.Errorf("the undo of the undo: %s, the copy holds %s", got, content())
			}
			w.must(0, "trueup", "history", "items", "c, 9", "--config", w.config)
		})
	}
}

func TestARepairOfAnotherEpochIsLeftUnlessForced(t *testing.T) {
	t.Parallel()
	d := direction{maria, postgres}
	settings := "pairs: [{name: one, images: changed%s}]\nvalidator: {confirm: 0s}"
	w := newWorld(t, d, fmt.Sprintf(settings, ""))
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE one (id BIGINT PRIMARY KEY, v VARCHAR(20))")
	}
	testenv.Exec(t, w.source, "INSERT INTO one VALUES (1, 'right')")
	testenv.Exec(t, w.target, "INSERT INTO one VALUES (1, 'wrong')")
	w.must(1, "validator", "--config", w.config, "--once")
	fixer := start(t, "fixer", "--config", w.config)
	w.drained()
	fixer.stop()
	old := w.config
	w.configure(w.source, w.target, fmt.Sprintf(settings, ", authority: target, epoch: 2"))
	w.must(0, "validator", "--config", w.config, "--once") // makes the epoch known
	if _, _, text := command(t, "trueup", "undo", "--config", old, "--pair", "one", "--since", "1h"); !strings.Contains(text, "--force") || !strings.Contains(text, "epoch 2") {
		t.Errorf("with the file of the old epoch, undo says %s", text)
	}
	undo := []string{"undo", "--config", w.config, "--since", time.Hour.String()}
	if text := w.must(1, "trueup", undo...); !strings.Contains(text, "made under epoch 1") {
		t.Errorf("undo says %s", text)
	}
	w.must(0, "trueup", append(undo, "--force")...)
	if v := scan[string](t, w.target, "SELECT v FROM one"); v != "wrong" {
		t.Errorf("the target holds %s", v)
	}
}
