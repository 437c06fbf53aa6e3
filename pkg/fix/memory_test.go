package fix_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// The columns of the test pair. Sum is computed by the target.
const (
	colID = iota
	colName
	colAmount
	colSum
)

func testPair() *schema.Pair {
	view := func(table string) schema.View {
		columns := []schema.ViewColumn{
			{Column: schema.Column{Name: "id"}, As: canonical.Type{Kind: canonical.Int}},
			{Column: schema.Column{Name: "name"}, As: canonical.Type{Kind: canonical.Text}},
			{Column: schema.Column{Name: "amount"}, As: canonical.Type{Kind: canonical.Decimal}},
			{Column: schema.Column{Name: "sum"}, As: canonical.Type{Kind: canonical.Int}},
		}
		return schema.View{Table: &schema.Table{Name: schema.Name{Table: table}}, Columns: columns, Key: []int{colID}}
	}
	p := &schema.Pair{
		Name: "orders", Source: view("orders"), Target: view("orders_copy"),
		Names: []string{"id", "name", "amount", "sum"}, Rules: make([]canonical.Rule, 4),
	}
	p.Rules[colName].Trim = "right"
	p.Target.Columns[colSum].Generated = true
	return p
}

func record(id int, name, amount string) row.Row {
	return row.Row{row.Value(fmt.Sprint(id)), row.Value(name), row.Value(amount), row.Value("0")}
}

func key(id int) row.Key { return row.Key{row.Value(fmt.Sprint(id))} }

func finding(id int) event.Finding {
	return event.Finding{
		ID: fmt.Sprintf("f%d", id), Kind: event.NotEqual, Pair: "orders", Run: "run", Epoch: 1,
		Key: event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(fmt.Sprint(id))}},
	}
}

// table is an in-memory table whose rows can be locked, with as much of a
// transaction as a repair meets. It serves as authority, copy, and what a
// replicator writes to.
type table struct {
	mu     sync.Mutex
	view   *schema.View
	rows   map[string]row.Row
	locks  map[string]*batch
	unique int // a column without duplicates, 0 for none
	// alter changes a row on its way in, without a word.
	alter func(row.Row)
	// at is called, without lock, at each step of a repair: "lookup" (of the
	// authority), "read", "begin", "locked", "apply", "applied", "commit",
	// "committed". An error fails the step; after "committed" the change is
	// durable all the same.
	at func(ctx context.Context, step string, keys []row.Key) error
	// writes counts committed changes.
	writes int
}

func newTable(view *schema.View, rows ...row.Row) *table {
	t := &table{view: view, rows: map[string]row.Row{}, locks: map[string]*batch{}}
	for _, r := range rows {
		t.rows[r.Key(view.Key).ID()] = r.Clone()
	}
	return t
}

func (t *table) step(ctx context.Context, name string, keys []row.Key) error {
	if t.at != nil {
		if err := t.at(ctx, name, keys); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// put and remove write past all locks; replicate respects them.
func (t *table) put(r row.Row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[r.Key(t.view.Key).ID()] = r.Clone()
}

func (t *table) remove(id int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.rows, key(id).ID())
}

func (t *table) get(id int) row.Row {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows[key(id).ID()]
}

// replicate brings one version of a row, nil when deleted; false when the row
// is held, and the writer would have to wait.
func (t *table) replicate(id int, version row.Row) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := key(id).ID()
	if t.locks[k] != nil {
		return false
	}
	if version == nil {
		delete(t.rows, k)
	} else {
		t.rows[k] = version.Clone()
	}
	return true
}

// seize locks a row as a foreign transaction would.
func (t *table) seize(id int) (free func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := key(id).ID()
	t.locks[k] = &batch{}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.locks, k)
	}
}

func (t *table) lookup(keys []row.Key) []row.Row {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []row.Row
	for _, k := range keys {
		if r, ok := t.rows[k.ID()]; ok {
			out = append(out, r.Clone())
		}
	}
	return out
}

// Lookup makes a table an authority.
func (t *table) Lookup(ctx context.Context, _ *schema.View, keys []row.Key) ([]row.Row, error) {
	if err := t.step(ctx, "lookup", keys); err != nil {
		return nil, err
	}
	rows := t.lookup(keys)
	if err := t.step(ctx, "looked", keys); err != nil {
		return nil, err
	}
	return rows, nil
}

// Read, Begin and Script make it a copy.
func (t *table) Read(ctx context.Context, keys []row.Key) ([]row.Row, error) {
	if err := t.step(ctx, "read", keys); err != nil {
		return nil, err
	}
	return t.lookup(keys), nil
}

func (t *table) Begin(ctx context.Context, keys []row.Key) (fix.Batch, error) {
	if err := t.step(ctx, "begin", keys); err != nil {
		return nil, err
	}
	b := &batch{table: t, keys: keys, pending: map[string]row.Row{}}
	t.mu.Lock()
	for _, k := range keys {
		r, present := t.rows[k.ID()]
		switch {
		case present && t.locks[k.ID()] != nil:
			b.busy = append(b.busy, k)
		case present:
			t.locks[k.ID()] = b
			b.rows = append(b.rows, r.Clone())
		}
	}
	t.mu.Unlock()
	if err := t.step(ctx, "locked", keys); err != nil {
		b.Rollback()
		return nil, err
	}
	return b, nil
}

func (t *table) Script(c fix.Change) string {
	return fmt.Sprintf("%s %s %v", c.Action, c.Key, c.Columns)
}

// locked counts the rows that are held.
func (t *table) locked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.locks)
}

// batch is a transaction on a table.
type batch struct {
	table   *table
	keys    []row.Key
	rows    []row.Row
	busy    []row.Key
	pending map[string]row.Row // nil: deleted
	broken  bool
}

func (b *batch) Rows() []row.Row { return b.rows }
func (b *batch) Busy() []row.Key { return b.busy }

var errBroken = errors.New("the batch can only be rolled back")

func (b *batch) Apply(ctx context.Context, changes []fix.Change) error {
	if b.broken {
		return errBroken
	}
	err := b.table.step(ctx, "apply", b.keys)
	for i := 0; err == nil && i < len(changes); i++ {
		err = b.apply(changes[i])
	}
	if err == nil {
		err = b.table.step(ctx, "applied", b.keys)
	}
	b.broken = err != nil
	return err
}

func (b *batch) apply(c fix.Change) error {
	t := b.table
	t.mu.Lock()
	defer t.mu.Unlock()
	id := c.Key.ID()
	if owner := t.locks[id]; owner != nil && owner != b {
		return &fix.Error{Fault: fix.Contention, Reason: "the row is locked"}
	}
	now := b.visible(id)
	switch {
	case c.Action == event.Insert && now != nil:
		return &fix.Error{Fault: fix.Duplicate, Reason: "duplicate key"}
	case c.Action != event.Insert && now == nil:
		return fmt.Errorf("%s of a row that is not there", c.Action)
	case c.Action != event.Insert && t.locks[id] != b:
		return fmt.Errorf("%s of a row that is not held", c.Action)
	}
	next := now.Clone()
	if c.Action == event.Insert {
		next = c.Row.Clone()
	}
	for _, p := range c.Columns {
		next[p] = c.Row[p].Clone()
	}
	if c.Action == event.Delete {
		next = nil
	}
	if next != nil && next[colName].IsNull() {
		return &fix.Error{Fault: fix.RowRefused, Reason: "column name does not take NULL"}
	}
	if next != nil && b.taken(id, next) {
		return &fix.Error{Fault: fix.Duplicate, Reason: "another row has the name"}
	}
	if next != nil && t.alter != nil {
		t.alter(next)
	}
	t.locks[id] = b
	b.pending[id] = next
	return nil
}

// Reread implements fix.Rereader.
func (b *batch) Reread(_ context.Context, keys []row.Key) ([]row.Row, error) {
	b.table.mu.Lock()
	defer b.table.mu.Unlock()
	var rows []row.Row
	for _, key := range keys {
		if r := b.visible(key.ID()); r != nil {
			rows = append(rows, r.Clone())
		}
	}
	return rows, nil
}

func (b *batch) visible(id string) row.Row {
	if r, changed := b.pending[id]; changed {
		return r
	}
	return b.table.rows[id]
}

func (b *batch) taken(id string, r row.Row) bool {
	u := b.table.unique
	if u == 0 {
		return false
	}
	for other := range b.table.rows {
		if o := b.visible(other); other != id && o != nil && string(o[u]) == string(r[u]) {
			return true
		}
	}
	return false
}

func (b *batch) Commit(ctx context.Context) error {
	if b.broken {
		return errBroken
	}
	if err := b.table.step(ctx, "commit", b.keys); err != nil {
		b.broken = true
		return err
	}
	t := b.table
	t.mu.Lock()
	for id, r := range b.pending {
		t.writes++
		if r == nil {
			delete(t.rows, id)
		} else {
			t.rows[id] = r
		}
	}
	b.pending = nil
	t.mu.Unlock()
	b.Rollback()
	return t.step(ctx, "committed", b.keys)
}

func (b *batch) Rollback() {
	t := b.table
	t.mu.Lock()
	defer t.mu.Unlock()
	b.broken = true
	for id, owner := range t.locks {
		if owner == b {
			delete(t.locks, id)
		}
	}
}

// bench is an authority, a copy and a Repairer between them.
type bench struct {
	pair      *schema.Pair
	authority *table
	copy      *table
	config    fix.Config
}

func newBench() *bench {
	p := testPair()
	b := &bench{pair: p, authority: newTable(&p.Source), copy: newTable(&p.Target)}
	b.config = fix.Config{Pair: p, Side: event.Source, Epoch: 1, Authority: b.authority, Sink: b.copy}
	return b
}

func (b *bench) repairer(t testing.TB) *fix.Repairer {
	t.Helper()
	r, err := fix.New(b.config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// repair runs a Repairer over findings about the given keys and returns the
// outcomes by the finding's ID.
func (b *bench) repair(t testing.TB, ids ...int) map[string]event.Outcome {
	t.Helper()
	var findings []event.Finding
	for _, id := range ids {
		findings = append(findings, finding(id))
	}
	outcomes, err := b.repairer(t).Repair(t.Context(), findings)
	if err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != len(findings) {
		t.Fatalf("%d outcomes for %d findings", len(outcomes), len(findings))
	}
	return byFinding(outcomes)
}

func byFinding(outcomes []event.Outcome) map[string]event.Outcome {
	out := map[string]event.Outcome{}
	for _, o := range outcomes {
		out[o.FindingID] = o
	}
	return out
}

// wantEqual fails unless the copy holds what the authority holds and nothing is locked.
func (b *bench) wantEqual(t testing.TB) {
	t.Helper()
	for id := range union(b.authority.rows, b.copy.rows) {
		if a, c := b.authority.rows[id], b.copy.rows[id]; fmt.Sprintf("%q", a) != fmt.Sprintf("%q", c) {
			t.Errorf("key %s: the authority has %q and the copy %q", id, a, c)
		}
	}
	if n := b.copy.locked(); n != 0 {
		t.Errorf("%d rows are still locked", n)
	}
}

func union(a, b map[string]row.Row) map[string]bool {
	out := map[string]bool{}
	for id := range a {
		out[id] = true
	}
	for id := range b {
		out[id] = true
	}
	return out
}

func wantOutcome(t testing.TB, o event.Outcome, result event.Result, action event.Action) {
	t.Helper()
	if o.Result != result || o.Action != action {
		t.Errorf("finding %s: %s (%s), class %q, %q; want %s (%s)", o.FindingID, o.Result, o.Action, o.Class, o.Reason, result, action)
	}
}

// once returns a hook that acts the n-th time (from 1) a step is reached.
func once(step string, n int, act func() error) func(context.Context, string, []row.Key) error {
	return func(_ context.Context, name string, _ []row.Key) error {
		if name != step {
			return nil
		}
		if n--; n == 0 {
			return act()
		}
		return nil
	}
}
