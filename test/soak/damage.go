package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"
)

// vandal damages the copy. It never changes the version of a row that is there,
// nor what the ledger says: both are what the checks go by.
type vandal struct {
	db      *database
	random  *rand.Rand
	every   time.Duration
	rows    int   // keys of each writer
	last    int64 // the greatest id it has made up
	counted func(kind string, rows int64)
}

// firstExtra is above all ids of the writers.
const firstExtra = 1 << 40

// damages are the kinds of damage and how often of a hundred times each is done.
var damages = []struct {
	name  string
	share int
	do    func(*vandal, *applier) int64
}{
	{"rows changed", 40, (*vandal).change},
	{"rows lost", 22, (*vandal).lose},
	{"rows made up", 14, (*vandal).makeUp},
	{"deleted rows brought back", 8, (*vandal).bringBack},
	{"unique values exchanged", 8, (*vandal).exchange},
	{"unique values stolen by extra rows", 6, (*vandal).steal},
	{"rows lost by the dozen", 2, (*vandal).loseMany},
}

// run damages until ctx ends. What the copy does not allow at the moment (a row
// locked, a value taken) is not done, and not counted.
func (v *vandal) run(ctx context.Context) {
	v.last = firstExtra
	for ctx.Err() == nil {
		pause(ctx, time.Duration(v.random.ExpFloat64()*float64(v.every)))
		n := v.random.IntN(100)
		for _, d := range damages {
			if n -= d.share; n >= 0 {
				continue
			}
			var rows int64
			err := inTransaction(ctx, v.db, func(tx *sql.Tx) error {
				a := &applier{ctx: ctx, tx: tx, engine: v.db.engine}
				rows = d.do(v, a)
				return a.err
			})
			if err == nil {
				v.counted(d.name, rows)
			}
			break
		}
	}
}

// anyKey is the condition for a random row of a table, and its arguments; none
// when the table is empty beyond a random id.
func (v *vandal) anyKey(a *applier, t *table) (string, []any) {
	key := make([]any, t.keys)
	targets := make([]any, t.keys)
	for i := range key {
		targets[i] = &key[i]
	}
	names := t.names(t.columns[:t.keys])
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s >= ? ORDER BY %s LIMIT 1", join(names), t.name, names[0], join(names))
	if err := a.tx.QueryRowContext(a.ctx, a.engine.spell(query), v.anyID(t)).Scan(targets...); err != nil {
		a.err = err
	}
	for i, value := range key {
		if raw, ok := value.([]byte); ok {
			key[i] = string(raw)
		}
	}
	return t.isKey(), key
}

// anyID is where to look for a row of the writers.
func (v *vandal) anyID(t *table) int64 { return v.random.Int64N(v.ids(t)) }

// ids is how far their ids go.
func (v *vandal) ids(t *table) int64 {
	if t.name == "entries" {
		return int64(v.rows/keysOfOrder+1) * maxWriters
	}
	return int64(v.rows) * maxWriters
}

func (v *vandal) anyTable() *table { return tables[v.random.IntN(len(tables))] }

// change gives a random value to a column that is neither key, version, unique
// nor a reference.
func (v *vandal) change(a *applier) int64 {
	t := v.anyTable()
	plain := []string{"note"}
	switch t.name {
	case "items":
		plain = []string{"amount", "weight", "at", "paid", "raw", "note"}
	case "entries":
		plain = []string{"note", "amount", "at"}
	case "children":
		plain = []string{"amount", "note"}
	}
	c := t.columns[t.column(plain[v.random.IntN(len(plain))])]
	where, key := v.anyKey(a, t)
	new := value(v.random, c.kind)
	if c.kind == text {
		new = fmt.Sprintf("damaged %d", v.random.Int64())
	}
	return a.exec(fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s", t.name, c.name, where), append([]any{new}, key...)...)
}

func (v *vandal) lose(a *applier) int64 {
	t := v.anyTable()
	where, key := v.anyKey(a, t)
	return a.exec("DELETE FROM "+t.name+" WHERE "+where, key...)
}

func (v *vandal) loseMany(a *applier) int64 {
	t := v.anyTable()
	first := v.anyID(t)
	return a.exec("DELETE FROM "+t.name+" WHERE "+t.columns[0].name+" BETWEEN ? AND ?", first, first+v.ids(t)/40)
}

// makeUp inserts a row that the authority never had; a child sometimes with a
// parent made up as well, sometimes below one that is right.
func (v *vandal) makeUp(a *applier) int64 {
	t := v.anyTable()
	if t.name != "children" {
		return v.extra(a, t, nil)
	}
	parents := tableOf("parents")
	if v.random.IntN(2) == 0 {
		return v.extra(a, parents, nil) + v.extra(a, t, v.last)
	}
	_, key := v.anyKey(a, parents)
	return v.extra(a, t, key[0])
}

func (v *vandal) extra(a *applier, t *table, parent any) int64 {
	v.last++
	row := make([]any, len(t.columns))
	fill(v.random, t, row, 0)
	row[0], row[t.keys] = v.last, int64(0)
	switch t.name {
	case "items":
		row[2], row[4] = fmt.Sprintf("extra-%d", v.last), v.last
	case "children":
		row[t.column("parent_id")] = parent
	}
	return a.exec("INSERT INTO "+t.name+" ("+join(t.names(t.columns))+") VALUES ("+marks(len(row))+")", row...)
}

// bringBack inserts an entry that the replicator has deleted, at the version it
// had before.
func (v *vandal) bringBack(a *applier) int64 {
	query := "INSERT INTO entries (order_id, line, lang, version, note) SELECT order_id, line, lang, version - 1, 'from the dead' FROM ledger_entries WHERE gone AND order_id >= ? ORDER BY order_id LIMIT 1"
	return a.exec(query, v.anyID(tableOf("entries")))
}

// exchange has two items change their unique values.
func (v *vandal) exchange(a *applier) int64 {
	_, one := v.anyKey(a, tables[0])
	_, other := v.anyKey(a, tables[0])
	if a.err != nil || one[0] == other[0] {
		return 0
	}
	first, second := v.placeOf(a, one[0]), v.placeOf(a, other[0])
	v.put(a, one[0], place{nil, first.shelf, -one[0].(int64)})
	return v.put(a, other[0], first) + v.put(a, one[0], second)
}

// steal loses an item and has one that is made up take its unique values.
func (v *vandal) steal(a *applier) int64 {
	_, key := v.anyKey(a, tables[0])
	if a.err != nil {
		return 0
	}
	stolen := v.placeOf(a, key[0])
	n := a.exec("DELETE FROM items WHERE id = ?", key...)
	n += v.extra(a, tables[0], nil)
	v.put(a, v.last, stolen)
	return n
}

func (v *vandal) placeOf(a *applier, id any) (p place) {
	if a.err != nil {
		return place{}
	}
	var code sql.NullString
	a.err = a.tx.QueryRowContext(a.ctx, a.engine.spell("SELECT code, shelf, place FROM items WHERE id = ?"), id).Scan(&code, &p.shelf, &p.place)
	if code.Valid {
		p.code = code.String
	}
	return p
}

func (v *vandal) put(a *applier, id any, p place) int64 {
	return a.exec("UPDATE items SET code = ?, shelf = ?, place = ? WHERE id = ?", p.code, p.shelf, p.place, id)
}
