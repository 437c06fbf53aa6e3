package main

import (
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/services/assembly"
)

// keyHelp says how KEY is written.
const keyHelp = `KEY is the key as trueup prints it: 7, id=7, "shop=1, id=7" or
{"shop":1,"id":7}, with the columns in the order of the pair's key. A text that
holds = or , is written in quotes, as in JSON.`

// parseKey reads KEY; an error is one of usage.
func parseKey(text string) (row.Key, error) {
	key, err := assembly.ParseKey(text)
	if err != nil {
		return nil, usage("KEY %w", err)
	}
	return key, nil
}
