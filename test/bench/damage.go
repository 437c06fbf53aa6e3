package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// scatter chooses one row in a thousand, spread over the whole table and the
// same ones every time: 60 % changed, 20 % missing, 20 % extra at the target.
func scatter(rows int) map[int64]kind {
	random := rand.New(rand.NewPCG(1, 2)) // any fixed seed
	out := map[int64]kind{}
	for want := rows / 1000; len(out) < want; {
		id := 1 + random.Int64N(int64(rows))
		if _, taken := out[id]; taken {
			continue
		}
		switch len(out) % 5 {
		case 0:
			out[id] = missing
		case 1:
			out[id] = extra
		default:
			out[id] = changed
		}
	}
	return out
}

// changes are what happens to a changed row, in turn: each a little, in a
// column that every tool compares.
var changes = []struct{ mysql, postgres string }{
	{"customer = CONCAT(customer, ' ')", "customer = customer || ' '"},
	{"qty = qty + 1", "qty = qty + 1"},
	{"amount = amount + 0.01", "amount = amount + 0.01"},
	{"weight = COALESCE(weight, 0) + 1", "weight = coalesce(weight, 0) + 1"},
	{"updated_at = updated_at + INTERVAL 1 MICROSECOND", "updated_at = updated_at + interval '1 microsecond'"},
}

// loadDamage makes <prefix>_spots_a and <prefix>_spots_b. What the target has
// too much is what the source has lost, so that it, too, lies anywhere.
func loadDamage(ctx context.Context, o options, env services) error {
	if err := loadOrders(ctx, o, env); err != nil {
		return err
	}
	a, b := o.prefix+"_spots_a", o.prefix+"_spots_b"
	damage := scatter(o.rows)
	if o.keep && spotted(ctx, o, env, damage) {
		return nil
	}
	lost := deleteIDs(idsOf(damage, extra))
	mysql, postgres := []string{deleteIDs(idsOf(damage, missing))}, []string{deleteIDs(idsOf(damage, missing))}
	ids := idsOf(damage, changed)
	for i, change := range changes {
		var some []int64
		for j := i; j < len(ids); j += len(changes) {
			some = append(some, ids[j])
		}
		where := " WHERE id IN (" + join(some) + ")"
		mysql = append(mysql, "UPDATE orders SET "+change.mysql+where)
		postgres = append(postgres, "UPDATE orders SET "+change.postgres+where)
	}
	if err := copyMySQL(ctx, env, o.prefix+"_a", a, lost); err != nil {
		return err
	}
	if err := copyMySQL(ctx, env, o.prefix+"_b", b, mysql...); err != nil {
		return err
	}
	return copyPostgres(ctx, env, o.prefix+"_b", b, postgres...)
}

// spotted says whether the damaged tables of an earlier run are there. The
// last of them is made last.
func spotted(ctx context.Context, o options, env services, damage map[int64]kind) bool {
	want := int64(o.rows - len(idsOf(damage, missing)))
	count, err := countPostgres(ctx, env, o.prefix+"_spots_b")
	return err == nil && count == want
}

func deleteIDs(ids []int64) string { return "DELETE FROM orders WHERE id IN (" + join(ids) + ")" }

// idsOf are the damaged ids of a kind, in order.
func idsOf(damage map[int64]kind, k kind) []int64 {
	var ids []int64
	for id, is := range damage {
		if is == k {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func join(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(texts, ",")
}

// measureDamage has every tool locate the damage, and counts what it missed
// and invented. The tables are at rest, so trueup need not look twice
// (--confirm 0); the others never do.
func measureDamage(ctx context.Context, o options, env services) error {
	damage := scatter(o.rows)
	identical := matches(o, env, o.prefix+"_a", o.prefix+"_b")
	for i, m := range matches(o, env, o.prefix+"_spots_a", o.prefix+"_spots_b") {
		clean := identical[i]
		ours := trueupDiff(o, "trueup diff, damaged", m.source, m.target, "orders", "--confirm", "0").contender()
		same := trueupDiff(o, "trueup diff, identical tables", clean.source, clean.target, "orders", "--confirm", "0").contender()
		all := append(append([]contender{}, m.rivals...), ours, same)
		results, err := race(ctx, o, env, all...)
		if err != nil {
			return err
		}
		base := ours.name
		if len(m.rivals) > 0 {
			base = m.rivals[0].name
		}
		printRace(fmt.Sprintf("%d rows in %d damaged here and there, %s", len(damage), o.rows, m.title), env, m, results, base, all...)
		wrong, err := printFound(results, damage, append(slices.Clone(m.rivals), ours))
		if err != nil {
			return err
		}
		goals := []goal{
			{what: "damage, " + m.title + ": missed, invented or mistaken by trueup", figure: float64(wrong[ours.name]), want: 0},
			{what: "damage, " + m.title + ": time over that of the identical tables", figure: ratio(results, ours.name, same.name), want: 1.3},
		}
		for rival, want := range map[string]float64{ptPrint: 0.15, reladiff7: 0.08} {
			if len(results[rival]) > 0 {
				goals = append(goals, goal{what: "damage, " + m.title + ": time over that of " + rival, figure: ratio(results, ours.name, rival), want: want})
			}
		}
		printGoals(goals...)
	}
	return nil
}

// printFound scores every tool in its worst run.
func printFound(results map[string][]sample, damage map[int64]kind, tools []contender) (map[string]int, error) {
	wrong := map[string]int{}
	var rows [][]string
	for _, c := range tools {
		read := foundByTrueup
		switch c.name {
		case reladiffAll, reladiff7:
			read = foundByReladiff
		case ptPrint:
			read = foundByPtTableSync
		}
		var worst score
		for _, s := range results[c.name] {
			found, err := read(s.stdout)
			if err != nil {
				return nil, err
			}
			if sc := compareFound(found, damage); sc.total() >= worst.total() {
				worst = sc
			}
		}
		wrong[c.name] = worst.total()
		rows = append(rows, []string{c.name, strconv.Itoa(worst.missed), strconv.Itoa(worst.invented), strconv.Itoa(worst.mistaken)})
	}
	printTable("", []string{"command", "missed", "invented", "of another kind than said"}, rows)
	return wrong, nil
}

func (s score) total() int { return s.missed + s.invented + s.mistaken }
