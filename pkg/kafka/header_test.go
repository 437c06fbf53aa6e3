package kafka

import (
	"maps"
	"testing"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
)

func TestHeadersArriveAsTheyWereSentUsualOnesFirst(t *testing.T) {
	sent := map[string]string{
		"zz": "last", event.HeaderID: "f/1", event.HeaderTime: "2026-01-02T03:04:05Z", "aa": "", event.HeaderInstance: "i",
		event.HeaderContentType: event.Protobuf, HeaderAttempts: "3",
	}
	out := wireRecords([]*parcel{{records: []*outgoing{{record: event.Record{Headers: sent}}, {}}}})
	var names []string
	m := &sarama.ConsumerMessage{Headers: out[0].Headers}
	for _, h := range out[0].Headers {
		names = append(names, string(h.Key))
	}
	if got := record(m).Headers; !maps.Equal(got, sent) {
		t.Errorf("%v arrived as %v", sent, got)
	}
	if len(names) != len(sent) || names[0] != event.HeaderID || names[len(names)-1] != "zz" {
		t.Errorf("sent in the order %v", names)
	}
	if len(out[1].Headers) != 0 {
		t.Error("no headers became some")
	}
}

func TestAHeaderThatComesTwiceCountsWithItsLastValue(t *testing.T) {
	m := &sarama.ConsumerMessage{Headers: []*sarama.RecordHeader{
		{Key: []byte("a"), Value: []byte("first")}, {Key: []byte("b")}, {Key: []byte("a"), Value: []byte("last")},
	}}
	if got := record(m).Headers; got["a"] != "last" || got["b"] != "" || len(got) != 2 {
		t.Errorf("got %v", got)
	}
}
