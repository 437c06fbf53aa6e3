package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopPatience is how long a program may take to end in order before it is killed.
const stopPatience = 15 * time.Second

// service is one of trueup's programs while it runs.
type service struct {
	name string
	cmd  *exec.Cmd
	log  *journal
	// client asks for the service's metrics.
	client http.Client
	done   chan struct{} // closed once the program ended
	err    error         // how it ended; read after done
}

// start starts a service and waits until it serves its metrics.
func (w *workshop) start(name string, args ...string) (*service, error) {
	s := &service{
		name:   name,
		cmd:    exec.CommandContext(w.running, w.program(name), append([]string{"--config", w.config}, args...)...),
		log:    newJournal(),
		client: http.Client{Timeout: 10 * time.Second},
		done:   make(chan struct{}),
	}
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = stopPatience
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	w.services = append(w.services, s)
	go func() {
		s.log.read(stderr)
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	select {
	case <-s.log.listening:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("the %s ended at once (%w):\n%s", name, s.err, s.log.tail())
	}
}

// stop asks the service to end and waits for it.
func (s *service) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the %s: %w", s.name, err)
	}
	<-s.done
	if s.err != nil {
		return fmt.Errorf("the %s did not stop in order (%w):\n%s", s.name, s.err, s.log.tail())
	}
	return nil
}

// status is the exit status of a service that ended.
func (s *service) status() (int, error) {
	exit, exited := errors.AsType[*exec.ExitError](s.err)
	if exited && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, s.err
}

// metric sums the samples of a metric whose labels contain all the given texts.
func (s *service) metric(ctx context.Context, name string, labels ...string) (int64, error) {
	sum, err := s.scrape(ctx, name, labels)
	if err != nil {
		return 0, fmt.Errorf("ask the %s for %s: %w\n%s", s.name, name, err, s.log.tail())
	}
	return int64(sum), nil
}

func (s *service) scrape(ctx context.Context, name string, labels []string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.log.address()+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	sum := 0.0
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		sample, value, ok := strings.Cut(lines.Text(), "} ")
		if !ok || !strings.HasPrefix(sample, name+"{") || !containsAll(sample, labels) {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, err
		}
		sum += number
	}
	return sum, lines.Err()
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
