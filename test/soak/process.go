package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// keeper has a program of the product run, as an orchestrator does: it is
// started again whenever it has ended.
type keeper struct {
	name   string // "fixer 2 of mariadb to postgres"
	argv   []string
	log    string
	kills  chan time.Duration
	killed func()
	wrong  func(string)
	ways   []*proxy // to the source and the target
}

// drain is how long a program may take to stop in order.
const drain = 60 * time.Second

// run keeps the program running until ctx ends, and then stops it in order.
func (k *keeper) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := k.once(ctx); err != nil {
			return err
		}
	}
	return nil
}

// once runs the program until it ends, is killed, or ctx ends.
func (k *keeper) once(ctx context.Context) error {
	log, err := os.OpenFile(k.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(k.argv[0], k.argv[1:]...) //nolint:noctx // it is to stop in order
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		k.wrong(fmt.Sprintf("ended: %s could not be started: %v", k.name, err))
		pause(ctx, time.Second)
		return nil
	}
	ended := make(chan struct{})
	var status error // of the program, once it has ended
	go func() {
		status = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		k.wrong(fmt.Sprintf("ended: %s ended by itself: %v; its log is %s", k.name, status, k.log))
		pause(ctx, time.Second)
	case away := <-k.kills:
		_ = cmd.Process.Kill() // an error says that it has ended already
		<-ended
		k.killed()
		pause(ctx, away)
	case <-ctx.Done():
		if err := stop(cmd, ended, &status); err != nil {
			k.wrong(fmt.Sprintf("ended: %s did not stop in order: %v; its log is %s", k.name, err, k.log))
		}
	}
	return nil
}

// stop asks a program to stop, and makes it when it does not.
func stop(cmd *exec.Cmd, ended <-chan struct{}, status *error) error {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
		return *status
	case <-time.After(drain):
		_ = cmd.Process.Kill()
		<-ended
		return fmt.Errorf("not within %v", drain)
	}
}

// kill kills the program at once (kill -9); it is started again after a while.
func (k *keeper) kill(away time.Duration) {
	select {
	case k.kills <- away:
	default: // it is away already
	}
}

// panicked says where a log tells of a panic or a race.
func (k *keeper) panicked() string {
	text, err := os.ReadFile(k.log)
	if err != nil {
		return ""
	}
	for _, sign := range []string{"\npanic: ", "\nfatal error: ", "WARNING: DATA RACE"} {
		if bytes.Contains(text, []byte(sign)) {
			return fmt.Sprintf("ended: %s: %q in its log %s", k.name, sign, k.log)
		}
	}
	return ""
}

// call runs a program of the product to its end and returns its status.
func call(ctx context.Context, bin, name string, args ...string) (status int, output string, err error) {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, name), args...)
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		err = nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("run %s %s: %w", name, args[0], err)
	}
	return cmd.ProcessState.ExitCode(), string(out), nil
}
