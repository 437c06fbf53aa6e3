package database

import (
	"context"
	"errors"
	"testing"
)

func TestTheMeanOfGrowingSumsSurvivesARestart(t *testing.T) {
	away := errors.New("connection refused")
	g := &growth{}
	for i, step := range []struct {
		sum, count float64 // milliseconds and statements since the server's start
		err        error
	}{
		{1000, 100, nil}, // the first look has nothing to compare with
		{1050, 110, nil},
		{1050, 110, nil}, // nobody asked anything
		{0, 0, away},     // it restarts
		{40, 20, nil},    // and counts from the beginning
		{100, 50, nil},
		{30, 60, nil}, // one sum went back: they were reset in between
		{90, 70, nil},
	} {
		want := []float64{0, 5, 5, 0, 5, 2, 2, 6}[i]
		g.ask = func(context.Context) ([]float64, error) { return []float64{step.sum, step.count}, step.err }
		if got, err := g.mean(t.Context()); got != want || !errors.Is(err, step.err) {
			t.Errorf("look %d: %v ms, %v, want %v", i, got, err, want)
		}
	}
}
