package assembly

import (
	"slices"
	"strings"
	"testing"
)

const shardedFile = `
pairs:
  - name: orders
    key: [id]
    where: live
    target_where: really_live
    constants: {origin: mono}
    schedule: {full: "0 3 * * *"}
    shards:
      - {source: shop_0.orders, constants: {shard: 0}}
      - {source: shop_1.orders, constants: {shard: 1, origin: "07"}, source_where: id > 0, target_where: id > 1}
      - {name: last, source: orders, constants: {shard: 2}}
  - name: items
`

func TestAnEntryWithShardsIsAPairForEach(t *testing.T) {
	f, err := Load(write(t, shardedFile))
	if err != nil {
		t.Fatal(err)
	}
	// Again, as the command line does for the pairs it chose.
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range f.Pairs {
		names = append(names, p.Name)
		if p.Schedule.Full == "" && p.Name != "items" {
			t.Errorf("%s has no schedule", p.Name)
		}
	}
	if want := []string{"orders@shop_0.orders", "orders@shop_1.orders", "last", "items"}; !slices.Equal(names, want) {
		t.Fatalf("pairs %q, want %q", names, want)
	}
	second := f.Pairs[1].Mapping()
	if second.Source.Schema != "shop_1" || second.Target.Table != "orders" || second.SourceWhere != "(live\n) AND (id > 0\n)" ||
		second.TargetWhere != "really_live" || second.Constants["origin"] != "mono" {
		t.Errorf("mapping %+v", second)
	}
	if len(second.Shards) != 3 || second.Shard != 1 || second.Shards[1].Where != "id > 1" || second.Shards[1].Constants["origin"] != "07" || second.Shards[2].Constants["shard"] != "2" {
		t.Errorf("shards %+v at %d", second.Shards, second.Shard)
	}
	for name, want := range map[string]int{"orders": 3, "orders@shop_1.orders": 1, "last": 1, "items": 1, "item": 0} {
		n := 0
		for i := range f.Pairs {
			if f.Pairs[i].Is(name) {
				n++
			}
		}
		if n != want {
			t.Errorf("%q means %d pairs, want %d", name, n, want)
		}
	}
}

func TestBadShardsNameFieldAndLine(t *testing.T) {
	for text, want := range map[string]string{
		"pairs:\n- name: a\n  shards: []\n":                                                                 ":3: pairs[0].shards: it names none",
		"pairs:\n- name: a\n  source: b\n  shards: [{source: c}]\n":                                         ":3: pairs[0].source: each of the shards names its own",
		"pairs:\n- shards: [{source: c}]\n":                                                                 "pairs[0].name: a pair of shards needs",
		"pairs:\n- name: a\n  shards:\n  - {source: c}\n  - {constants: {x: 1}}\n":                          ":5: pairs[0].shards[1].source: a shard names its source",
		"pairs:\n- name: a\n  shards:\n  - source: c\n    constants: {x: ~}\n":                              ":5: pairs[0].shards[0].constants: column x is given NULL",
		"pairs:\n- name: a\n  constants: {x: null}\n":                                                       ":3: pairs[0].constants: column x is given NULL",
		"pairs:\n- name: a\n  shards: [{source: c}, {source: c}]\n":                                         `pairs[0].name: "a@c" is already the name of pairs[0]`,
		"pairs:\n- name: a\n  shards: [{source: c}, {source: d}]\n- name: e\n  schedule: {full: 'TZ=0'}\n":  ":5: pairs[1].schedule.full",
		"pairs:\n- name: a\n  shards: [{source: c, where: x}]\n":                                            `unknown key "pairs[0].shards[0].where"`,
		"pairs:\n- name: a\n  constants: {x: 1}\n  shards: [{source: c, constants: {x: 2}}]\n- name: a@c\n": `"a@c" is already the name of pairs[0]`,
		"pairs:\n- name: a\n  constants: {x: {y: 1}}\n":                                                     ":3: ",
	} {
		_, err := Load(write(t, text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}
