package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

func TestTheLagNamesGroupTopicAndThePartitionsThatHaveSome(t *testing.T) {
	at := timestamppb.New(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	groups := []*controlv1.Group{
		{Name: "t.fixer", Topic: "t.findings", Left: map[int32]int64{0: 2, 1: 0, 2: 7}, Measured: at},
		{Name: "t.fixer.retry", Topic: "t.findings.retry", Left: map[int32]int64{0: 0}, Measured: at, Problem: "no broker"},
		{Name: "new", Topic: "t.findings", Problem: "not authorised"},
	}
	var out bytes.Buffer
	if err := (&app{stdout: &out}).printGroups(groups, false); err != nil {
		t.Fatal(err)
	}
	want := "t.fixer         9 left in t.findings (partition 2: 7, partition 0: 2)\n" +
		"t.fixer.retry   0 left in t.findings.retry at 2026-11-22 12:00:00Z; no broker\n" +
		"new             the lag was not measured yet; not authorised\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
	out.Reset()
	if err := (&app{stdout: &out}).printGroups(groups, true); err != nil {
		t.Fatal(err)
	}
	want = `{"group":"t.fixer","topic":"t.findings","lag":9,"partitions":{"0":2,"1":0,"2":7},"measured":"2026-11-22T12:00:00Z"}` + "\n" +
		`{"group":"t.fixer.retry","topic":"t.findings.retry","lag":0,"partitions":{"0":0},"measured":"2026-11-22T12:00:00Z","problem":"no broker"}` + "\n" +
		`{"group":"new","topic":"t.findings","problem":"not authorised"}` + "\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

func TestOfManyPartitionsThoseWithMostAreNamed(t *testing.T) {
	left := map[int32]int64{}
	for p := range int32(20) {
		left[p] = int64(p)
	}
	if got := partitionsLeft(left); !strings.HasPrefix(got, "partition 19: 19, partition 18: 18") || !strings.HasSuffix(got, ", 11 more") {
		t.Error(got)
	}
}
