package assembly

import (
	"strings"
	"testing"
	"time"
)

func TestWhatIsWrongWithEndlessRunsIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"pairs: [{name: x, schedule: {incremental: '@every 10s'}}]":                                      "pairs[0].updated_at: schedule.incremental needs the column",
		"pairs: [{name: x, updated_at: at, schedule: {incremental: 'often'}}]":                           "pairs[0].schedule.incremental: ",
		"pairs: [{name: x, updated_at: at, updated_at_zone: Mars/Olympus}]":                              "pairs[0].updated_at_zone: ",
		"pairs: [{name: incremental/x}]":                                                                 "pairs[0].name: ",
		"pairs: [{name: once/x}]":                                                                        "pairs[0].name: ",
		"pairs: [{name: x}]\nvalidator: {takeover: 1s}":                                                  "validator.takeover: 1s is outside",
		"pairs: [{name: x, changes: {source: a, target: a}}]":                                            "pairs[0].changes.target: ",
		"pairs: [{name: x}]\nvalidator: {continuous: {settle: 1ms}}":                                     "validator.continuous.settle: 1ms is outside",
		"pairs: [{name: x}]\nvalidator: {continuous: {start: somewhere}}":                                "validator.continuous.start: ",
		"pairs: [{name: x}]\nvalidator: {continuous: {pending: 5}}":                                      "validator.continuous.pending: 5 is outside",
		"pairs: [{name: x, updated_at: at, schedule: {incremental: '@every 1s'}, changes: {source: a}}]": "",
	} {
		f, err := Load(write(t, "source: {dsn: a}\ntarget: {dsn: b}\n"+text+"\n"))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %s", text, err, want)
		case want == "" && (f.Validator.Continuous.Settle != 2*time.Second || f.Validator.Continuous.Margin != time.Minute):
			t.Errorf("%+v", f.Validator.Continuous)
		}
	}
}
