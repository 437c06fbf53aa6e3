package validate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// table is one side's table, in memory, read as a database would be: each
// statement sees the rows as they are at its start.
type table struct {
	names []string
	order func(a, b row.Key) int

	mu     sync.Mutex
	rows   map[string]row.Row
	sorted []row.Row // nil when out of date
	reads  []string

	// before runs ahead of every statement and may fail it; during runs ahead
	// of every row of a cursor. Both know how many came before.
	before     func(op string, n int) error
	during     func(n int) error
	statements int
	rowsRead   int

	// touches may fail a statement by the rows it has to read.
	touches func(r row.Range) error
	inspect func() (*schema.Table, error)
	ping    func() error
}

var testColumns = []schema.ViewColumn{
	{Column: schema.Column{Name: "id", Type: canonical.Type{Kind: canonical.Int}}, As: canonical.Type{Kind: canonical.Int}},
	{Column: schema.Column{Name: "name"}, As: canonical.Type{Kind: canonical.Text}},
	{Column: schema.Column{Name: "amount"}, As: canonical.Type{Kind: canonical.Int}},
}

func testTable(name schema.Name) *schema.Table {
	t := &schema.Table{Name: name, Identity: "1", Keys: []schema.UniqueKey{{Name: "PRIMARY", Columns: []string{"id"}, Primary: true}}}
	for _, c := range testColumns {
		t.Columns = append(t.Columns, c.Column)
	}
	return t
}

func testPair(method schema.Method) *schema.Pair {
	view := func(engine string) schema.View {
		table := testTable(schema.Name{Table: "orders"})
		table.Engine = engine
		return schema.View{Table: table, Columns: testColumns, Key: []int{0}}
	}
	return &schema.Pair{
		Name: "orders", Source: view("mysql"), Target: view("postgres"), Names: []string{"id", "name", "amount"},
		Rules: make([]canonical.Rule, 3), Method: method,
	}
}

// byNumber orders whole keys of digits as numbers.
func byNumber(a, b row.Key) int {
	return cmp.Or(cmp.Compare(len(a[0]), len(b[0])), bytes.Compare(a[0], b[0]))
}

// backwards is an order that has nothing in common with byNumber.
func backwards(a, b row.Key) int {
	x, y := slices.Clone(a[0]), slices.Clone(b[0])
	slices.Reverse(x)
	slices.Reverse(y)
	return bytes.Compare(x, y)
}

func newTable(rows ...row.Row) *table {
	t := &table{names: []string{"id", "name", "amount"}, order: byNumber, rows: map[string]row.Row{}}
	for _, r := range rows {
		t.put(r)
	}
	return t
}

// order makes a row of the test's table.
func order(id int, name string, amount int) row.Row {
	return row.Row{row.Value(strconv.Itoa(id)), row.Value(name), row.Value(strconv.Itoa(amount))}
}

func orders(from, to int) []row.Row {
	var rows []row.Row
	for id := from; id <= to; id++ {
		rows = append(rows, order(id, "name "+strconv.Itoa(id%13), id*3))
	}
	return rows
}

func (t *table) put(r row.Row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[r.Key([]int{0}).ID()] = r.Clone()
	t.sorted = nil
}

func (t *table) remove(id int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.rows, order(id, "", 0).Key([]int{0}).ID())
	t.sorted = nil
}

func (t *table) snapshot() []row.Row {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sorted == nil {
		t.sorted = make([]row.Row, 0, len(t.rows))
		for _, r := range t.rows {
			t.sorted = append(t.sorted, r)
		}
		slices.SortFunc(t.sorted, func(a, b row.Row) int { return t.order(row.Key(a[:1]), row.Key(b[:1])) })
	}
	return t.sorted
}

func (t *table) begin(ctx context.Context, op string) error {
	t.mu.Lock()
	n := t.statements
	t.statements++
	t.reads = append(t.reads, op)
	before := t.before
	t.mu.Unlock()
	if before != nil {
		if err := before(op, n); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (t *table) reach(r row.Range) error {
	if t.touches == nil {
		return nil
	}
	return t.touches(r)
}

func (t *table) inRange(r row.Range) []row.Row {
	rows := t.snapshot()
	from, to := 0, len(rows)
	search := func(key row.Key, after bool) int {
		n, found := slices.BinarySearchFunc(rows, key, func(r row.Row, k row.Key) int { return t.order(row.Key(r[:1]), k) })
		if found && after {
			n++
		}
		return n
	}
	if r.After != nil {
		from = search(r.After, true)
	}
	if r.Through != nil {
		to = search(r.Through, true)
	}
	return rows[from:max(from, to)]
}

func (t *table) project(v *schema.View, r row.Row) row.Row {
	out := make(row.Row, len(v.Columns))
	for i, c := range v.Columns {
		out[i] = r[slices.Index(t.names, c.Name)]
	}
	return out
}

// Akin holds names equal that differ in case alone; keys of digits never are.
func (t *table) Akin(_ context.Context, _ *schema.View, keys []row.Key) ([]row.Key, error) {
	out := make([]row.Key, len(keys))
	for i, key := range keys {
		for _, r := range t.snapshot() {
			if other := row.Key(r[:1]); other.ID() != key.ID() && bytes.EqualFold(other[0], key[0]) {
				out[i] = other.Clone()
			}
		}
	}
	return out, nil
}

func (t *table) Boundary(ctx context.Context, _ *schema.View, after row.Key, n int) (row.Key, error) {
	if err := t.begin(ctx, "boundary"); err != nil {
		return nil, err
	}
	rows := t.inRange(row.Range{After: after})
	walked := row.Range{After: after}
	if len(rows) >= n {
		walked.Through = row.Key(rows[n-1][:1]).Clone()
	}
	if err := t.reach(walked); err != nil {
		return nil, err
	}
	return walked.Through, nil
}

func (t *table) Digest(ctx context.Context, v *schema.View, r row.Range) (row.Digest, error) {
	if err := t.begin(ctx, "digest"); err != nil {
		return row.Digest{}, err
	}
	if err := t.reach(r); err != nil {
		return row.Digest{}, err
	}
	rows := t.inRange(r)
	if len(rows) == 0 {
		return row.Digest{}, nil
	}
	var frames []byte
	for _, r := range rows {
		frames = canonical.AppendFrame(frames, v.Types(), t.project(v, r))
	}
	sum := md5.Sum(frames)
	return row.Digest{Rows: int64(len(rows)), Sum: hex.EncodeToString(sum[:]), Bytes: int64(len(frames))}, nil
}

func (t *table) Rows(ctx context.Context, v *schema.View, r row.Range) (row.Cursor, error) {
	if err := t.begin(ctx, "rows"); err != nil {
		return nil, err
	}
	if err := t.reach(r); err != nil {
		return nil, err
	}
	return &memoryCursor{ctx: ctx, table: t, view: v, rows: t.inRange(r)}, nil
}

func (t *table) Lookup(ctx context.Context, v *schema.View, keys []row.Key) ([]row.Row, error) {
	if err := t.begin(ctx, "lookup"); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var rows []row.Row
	for _, k := range keys {
		if r, ok := t.rows[k.ID()]; ok {
			rows = append(rows, t.project(v, r).Clone())
		}
	}
	slices.Reverse(rows) // in any order
	return rows, nil
}

// Table describes the table as the pair was resolved against it, or as the test
// has changed it since.
func (t *table) Table(_ context.Context, name schema.Name) (*schema.Table, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inspect != nil {
		return t.inspect()
	}
	return testTable(name), nil
}

func (t *table) Ping(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ping != nil {
		return t.ping()
	}
	return nil
}

func (t *table) Count(ctx context.Context, _ *schema.View) (int64, error) {
	if err := t.begin(ctx, "count"); err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(len(t.rows)), nil
}

// memoryCursor reuses a row's memory as a real one does, so that a reader who
// keeps a row without a clone is found out.
type memoryCursor struct {
	ctx   context.Context
	table *table
	view  *schema.View
	rows  []row.Row
	arena []byte
	out   row.Row
}

func (c *memoryCursor) Next() (row.Row, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	c.table.mu.Lock()
	n, during := c.table.rowsRead, c.table.during
	c.table.rowsRead++
	c.table.mu.Unlock()
	if during != nil {
		if err := during(n); err != nil {
			return nil, err
		}
	}
	if len(c.rows) == 0 {
		return nil, io.EOF
	}
	next := c.table.project(c.view, c.rows[0])
	c.rows = c.rows[1:]
	c.arena, c.out = c.arena[:0], c.out[:0]
	for i := range c.arena[:cap(c.arena)] {
		c.arena[:cap(c.arena)][i] = '?'
	}
	for _, v := range next {
		if v == nil {
			c.out = append(c.out, nil)
			continue
		}
		c.arena = append(c.arena, v...)
		c.out = append(c.out, row.Value(c.arena[len(c.arena)-len(v):len(c.arena):len(c.arena)]))
	}
	return c.out, nil
}

func (c *memoryCursor) Close() error { return nil }

// published collects findings as the publisher of a run.
type published struct {
	mu       sync.Mutex
	findings []event.Finding
	before   func(n int) error // ahead of each Publish; n counts findings so far
}

func (p *published) Publish(ctx context.Context, findings []event.Finding) error {
	if p.before != nil {
		p.mu.Lock()
		n := len(p.findings)
		p.mu.Unlock()
		if err := p.before(n); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.findings = append(p.findings, findings...)
	return nil
}

// set is the findings as a sorted list of "kind key", each once.
func (p *published) set() []string {
	list := p.list()
	return slices.Compact(list)
}

func (p *published) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := []string{}
	for _, f := range p.findings {
		list = append(list, f.Kind.String()+" "+f.Key.Values().String())
	}
	slices.Sort(list)
	return list
}

// bench is a validator on two tables in memory and what surrounds it.
type bench struct {
	t         testing.TB
	authority *table
	replica   *table
	published *published
	config    Config
	ports     Ports
	run       Run
}

func newBench(t testing.TB, authority, replica *table, method schema.Method) *bench {
	return &bench{
		t: t, authority: authority, replica: replica, published: &published{},
		config: Config{Attempts: 3, Backoff: time.Millisecond, CheckpointEvery: 1},
		run:    Run{ID: "run", Pair: testPair(method), Authority: event.Source, Epoch: 4},
	}
}

// rangesOf fixes the size of ranges.
func (b *bench) rangesOf(rows int) *bench {
	b.config.Range = chunk.SizerConfig{MinRows: rows, MaxRows: rows}
	return b
}

func (b *bench) validator() *Validator {
	b.t.Helper()
	budget := func(name string) Gate {
		gate, err := governor.NewBudget(name, 3)
		if err != nil {
			b.t.Fatal(err)
		}
		return gate
	}
	ports := b.ports
	ports.Source, ports.Target = b.authority, b.replica
	if b.run.Authority == event.Target {
		ports.Source, ports.Target = b.replica, b.authority
	}
	ports.Pacer = Paced(budget("source"), budget("target"))
	if ports.Publisher == nil {
		ports.Publisher = b.published
	}
	v, err := New(b.config, ports)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// verdict runs to the end, which must not be an error.
func (b *bench) verdict() Verdict {
	b.t.Helper()
	v, err := b.validator().Run(b.t.Context(), b.run)
	if err != nil {
		b.t.Fatalf("Run: %v", err)
	}
	return v
}

func equalSets(t testing.TB, got, want []string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("findings are\n%q\nwant\n%q", got, want)
	}
}

var (
	allMethods = []schema.Method{schema.Checksum, schema.Merge, schema.Lookup}
	errReset   = errors.New("connection reset by peer")
)

// deniedError is an error that no retry can mend; limitError one of size.
type deniedError struct{ error }

func (deniedError) Permanent() bool { return true }

type limitError struct{ error }

func (limitError) TooLarge() bool { return true }
