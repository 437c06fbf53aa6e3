// Command demo shows trueup at work with nothing installed but Go: a Kafka and
// a MySQL inside this process, and the real validator and fixers as programs
// of their own. It damages a copy, lets the validator find the damage and three
// fixers repair it, and has the validator prove that both sides agree.
//
// It exits with 1 when anything is left different.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	bin := flag.String("bin", "../bin", "directory that holds trueup, validator and fixer")
	keep := flag.Bool("keep", false, "keep the databases and Kafka running afterwards, until Ctrl-C")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *bin, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, keep bool) error {
	show := newShow(os.Stdout)

	show.stage("Start an embedded Kafka and two embedded MySQL servers")
	brokers, stopKafka, err := startKafka()
	if err != nil {
		return err
	}
	defer stopKafka()
	source, stopSource, err := startMySQL("shop")
	if err != nil {
		return err
	}
	defer stopSource()
	target, stopTarget, err := startMySQL("shop")
	if err != nil {
		return err
	}
	defer stopTarget()
	show.say("Kafka on %s, source on %s, target on %s", brokers[0], source, target)

	w, err := newWorkshop(bin, source, target, brokers)
	if err != nil {
		return err
	}
	defer w.clean()
	if err := story(ctx, show, w); err != nil {
		return err
	}
	if keep {
		show.stage("Still running, until Ctrl-C")
		show.say("%s diff %s %s", w.program("trueup"), w.sourceURL(), w.targetURL())
		show.say("%s --config %s", w.program("fixer"), w.config)
		<-ctx.Done()
	}
	return nil
}
