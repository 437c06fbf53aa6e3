// Command demo shows trueup at work with nothing installed but Go: a Kafka and
// two MySQL servers inside this process, and the real validator and fixers as
// programs of their own. It damages a copy, lets the validator find the damage
// and three fixers repair it, and has the validator prove that both sides agree.
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
	"time"
)

// patience is how long the story may take, several times what it does on a
// slow machine: a demo that hangs is a demo that failed.
const patience = 5 * time.Minute

func main() {
	bin := flag.String("bin", "../bin", "directory that holds trueup, validator and fixer")
	keep := flag.Bool("keep", false, "keep the databases and Kafka running afterwards, until Ctrl-C")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *bin, *keep)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, keep bool) error {
	show := newShow(os.Stdout)
	show.stage("Start an embedded Kafka and two embedded MySQL servers")
	w, err := openWorkshop(ctx, bin)
	defer w.close()
	if err != nil {
		return err
	}
	show.say("Kafka on %s, source on %s, target on %s", w.brokers[0], w.source, w.target)

	story, err := newStory(show, w, rowsPerTable)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done after %s", patience))
	defer cancel()
	if err := story.tell(limited); err != nil {
		return err
	}
	if !keep {
		show.next()
		return nil
	}
	show.stillRunning(w)
	<-ctx.Done()
	return nil
}
