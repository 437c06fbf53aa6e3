package main

import "fmt"

// next says what a visitor can try after the story.
func (s *show) next() {
	fmt.Fprintln(s.out)
	s.say("Next: trueup diff 'mysql://user:${PASSWORD}@host/db' 'postgres://user:${PASSWORD}@host/db' TABLE")
	s.say("compares your own two databases; it only reads. README.md has the five-minute path,")
	s.say("docker-compose.yml the services, and `cd demo && go run . -keep` a shop to play with.")
}

// stillRunning says what a visitor can do with the shop while it is there.
func (s *show) stillRunning(w *workshop) {
	s.stage("Still running, until Ctrl-C")
	s.say("Damage the copy, with any MySQL client, as root without a password:")
	s.say("  %s", w.targetURL())
	s.say("See it, and repair it without Kafka:")
	s.say("  %s diff %s %s", w.program("trueup"), w.sourceURL(), w.targetURL())
	s.say("  %s fix %s %s", w.program("trueup"), w.sourceURL(), w.targetURL())
	s.say("Or with the services, each in a terminal of its own:")
	s.say("  %s --config %s", w.program("fixer"), w.config)
	s.say("  %s --config %s --once", w.program("validator"), w.config)
}
