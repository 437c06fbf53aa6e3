package main

import controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"

// groupsWire is the lag for the control API.
func groupsWire(all []backlog) []*controlv1.Group {
	var out []*controlv1.Group
	for _, b := range all {
		out = append(out, &controlv1.Group{Name: b.group, Topic: b.topic, Left: b.left, Measured: timestamp(b.at), Problem: b.problem})
	}
	return out
}
