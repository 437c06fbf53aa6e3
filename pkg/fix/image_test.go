package fix_test

import (
	"context"
	"errors"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

// TestEveryCommittedWriteIsToldInOrder has the authority's row change after the
// first commit: the outcome has both writes, each from what it found.
func TestEveryCommittedWriteIsToldInOrder(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "right", "1"))
	b.copy.put(record(1, "wrong", "1"))
	b.copy.at = once("commit", 1, func() error {
		b.authority.put(record(1, "newer", "1"))
		return nil
	})
	o := b.repair(t, 1)["f1"]
	wantOutcome(t, o, event.Repaired, event.Update)
	if len(o.Writes) != 2 || o.Writes[0].After != o.Writes[1].Before || o.Writes[0].Before == o.Writes[0].After {
		t.Fatalf("the writes are %+v", o.Writes)
	}
	if w := o.Writes[1]; w.Side != event.Target || w.Action != event.Update || w.Before == w.After {
		t.Errorf("the last write is %+v", w)
	}
}

func TestEachFindingOfAKeyTellsTheWrite(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "right", "1"))
	again := finding(1)
	again.ID = "f1 again"
	outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{finding(1), again})
	if err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != 2 || len(outcomes[0].Writes) != 1 || len(outcomes[1].Writes) != 1 {
		t.Errorf("the outcomes are %+v", outcomes)
	}
}

func TestAWriteWhoseAnswerIsLostIsTold(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "right", "1"))
	b.copy.at = once("committed", 1, func() error { return &fix.Error{Fault: fix.Transient, Err: errors.New("connection lost")} })
	o := b.repair(t, 1)["f1"]
	wantOutcome(t, o, event.Repaired, event.Insert)
	if len(o.Writes) != 1 || o.Writes[0].Before != "" || o.Writes[0].After == "" {
		t.Errorf("the writes are %+v", o.Writes)
	}
}

func TestADigestTellsRowsPairsAndKeysApartAndNotWhatTheCopyComputes(t *testing.T) {
	digest := func(key, name, amount, sum string) string {
		b := newBench()
		b.config.Keep.DigestKey = []byte(key)
		r := record(1, name, amount)
		r[colSum] = row.Value(sum)
		b.copy.put(r)
		return b.repair(t, 1)["f1"].Writes[0].Before
	}
	first := digest("k", "a", "1", "0")
	for what, other := range map[string]string{
		"another name": digest("k", "b", "1", "0"), "another amount": digest("k", "a", "10", "0"), "another key": digest("l", "a", "1", "0"),
	} {
		if other == first {
			t.Errorf("%s has the same digest", what)
		}
	}
	if digest("k", "a", "1", "7") != first {
		t.Error("a column that the copy computes is part of the digest")
	}
}

func TestImagesFromASinkThatHasNoneAreAnErrorAndNothingIsWritten(t *testing.T) {
	b := newBench()
	b.config.Keep.Images = fix.ChangedImages
	b.copy.put(record(1, "wrong", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := b.repairer(t).Repair(ctx, []event.Finding{finding(1)}); err == nil {
		t.Error("no error")
	}
	if b.copy.get(1) == nil {
		t.Error("the row was deleted")
	}
}
