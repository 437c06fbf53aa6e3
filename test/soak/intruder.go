package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"
)

// intruder writes to the copy what nobody wrote to the authority, and tells the
// journal. It leaves alone the tables whose copy nobody watches.
type intruder struct {
	db      *database
	random  *rand.Rand
	every   time.Duration
	writers int
	rows    int // keys of each writer in each table
	journal *journal
	damaged func(kind string, rows int64)
}

// intrusions are what it does, and how often of a hundred times.
var intrusions = []struct {
	name  string
	share int
	do    func(r *intruder, a *applier, c change) int64
}{
	{"row changed on the copy", 50, (*intruder).alter},
	{"row deleted from the copy", 28, (*intruder).delete},
	{"row made up on the copy", 22, (*intruder).insert},
}

// run goes on until ctx ends. What the copy does not allow (a key is there, or
// is not) is not done, and not counted.
func (r *intruder) run(ctx context.Context) {
	for pause(ctx, r.wait()); ctx.Err() == nil; pause(ctx, r.wait()) {
		t := followedTables[r.random.IntN(len(followedTables))]
		c := t.empty(t.key(r.random.IntN(r.writers), r.random.IntN(r.rows)))
		if !t.events || !r.journal.rested(idOf(c)) {
			continue
		}
		n := r.random.IntN(100)
		for _, i := range intrusions {
			if n -= i.share; n >= 0 {
				continue
			}
			r.intrude(context.WithoutCancel(ctx), i.name, c, i.do)
			break
		}
	}
}

func (r *intruder) wait() time.Duration {
	return time.Duration(r.random.ExpFloat64() * float64(r.every))
}

func (r *intruder) intrude(ctx context.Context, name string, c change, do func(*intruder, *applier, change) int64) {
	d := damage{kind: name, span: span{from: time.Now()}}
	var rows int64
	err := inTransaction(ctx, r.db, func(tx *sql.Tx) error {
		a := &applier{ctx: ctx, tx: tx, engine: r.db.engine}
		rows = do(r, a, c)
		return a.err
	})
	if err != nil || rows == 0 {
		return
	}
	d.to, d.over = time.Now(), d.from
	r.damaged(name, rows)
	r.journal.damaged(idOf(c), d)
}

func (r *intruder) alter(a *applier, c change) int64 {
	return a.exec("UPDATE "+c.table.name+" SET state = ? WHERE "+c.table.isKey(), append([]any{r.nonsense()}, c.key()...)...)
}

func (r *intruder) delete(a *applier, c change) int64 {
	return a.exec("DELETE FROM "+c.table.name+" WHERE "+c.table.isKey(), c.key()...)
}

// insert makes up a row where the copy has none: mostly the authority has none
// either.
func (r *intruder) insert(a *applier, c change) int64 {
	c.row[len(c.row)-1] = r.nonsense()
	return a.exec("INSERT INTO "+c.table.name+" ("+join(c.table.names(c.table.columns))+") VALUES ("+marks(len(c.row))+")", c.row...)
}

func (r *intruder) nonsense() string { return fmt.Sprintf("damaged %d", r.random.Int64()) }
