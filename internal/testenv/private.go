package testenv

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/freeport"
)

// Private is a database server of one test's own, which it may kill.
type Private struct {
	t       testing.TB
	url     string
	command []string
	owner   *syscall.Credential // who the server runs as; nil: who runs the test
	dir     string

	mu  sync.Mutex
	cmd *exec.Cmd
	log bytes.Buffer
}

// HasPrivate says whether the engine's programs are installed here, "mysql" or
// "postgres". Where the test servers are containers they may not be.
func HasPrivate(engine string) bool {
	if engine == "postgres" {
		return postgresPrograms() != ""
	}
	_, server := program("mariadbd")
	_, install := program("mariadb-install-db")
	return server && install
}

// NewPrivate starts a server of the engine, "mysql" or "postgres", on an empty
// directory, with settings as its command line takes them. It is killed when the
// test ends.
func NewPrivate(t testing.TB, engine string, settings ...string) *Private {
	t.Helper()
	dir, err := os.MkdirTemp("", "trueup-private-") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	p := &Private{t: t, dir: dir}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("the private %s server:\n%s", engine, p.log.String())
		}
		_ = os.RemoveAll(dir)
	})
	port := freePort(t)
	if engine == "postgres" {
		p.preparePostgres(port)
	} else {
		p.prepareMariaDB(port)
	}
	p.command = append(p.command, settings...)
	p.Start()
	return p
}

// URL is that of an empty database.
func (p *Private) URL() string { return p.url }

func (p *Private) preparePostgres(port int) {
	p.t.Helper()
	p.own("postgres")
	bin, data := postgresPrograms(), filepath.Join(p.dir, "data")
	p.run(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	p.command = []string{
		filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port=" + strconv.Itoa(port),
		"-c", "unix_socket_directories=", "-c", "shared_buffers=32MB",
	}
	p.url = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres", port)
}

func (p *Private) prepareMariaDB(port int) {
	p.t.Helper()
	p.own("mysql")
	data, init := filepath.Join(p.dir, "data"), filepath.Join(p.dir, "init.sql")
	statements := "CREATE DATABASE IF NOT EXISTS test;\nCREATE OR REPLACE USER tester@'127.0.0.1';\nGRANT ALL PRIVILEGES ON *.* TO tester@'127.0.0.1' WITH GRANT OPTION;\n"
	if err := os.WriteFile(init, []byte(statements), 0o644); err != nil { //nolint:gosec // the server's own user reads it
		p.t.Fatal(err)
	}
	install, _ := program("mariadb-install-db")
	server, _ := program("mariadbd")
	p.run(install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	p.command = []string{
		server, "--no-defaults", "--datadir=" + data, "--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port), "--socket=private.sock",
		"--skip-name-resolve", "--init-file=" + init, "--character-set-server=utf8mb4", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M",
	}
	p.url = fmt.Sprintf("mysql://tester@127.0.0.1:%d/test", port)
}

// own gives the directory to the user the server runs as: servers refuse root.
func (p *Private) own(name string) {
	p.t.Helper()
	if os.Getuid() != 0 {
		return
	}
	account, err := user.Lookup(name)
	if err != nil {
		p.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	p.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(p.dir, uid, gid); err != nil {
		p.t.Fatal(err)
	}
}

func (p *Private) exec(command ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(p.t.Context()), command[0], command[1:]...)
	cmd.Dir, cmd.SysProcAttr = p.dir, &syscall.SysProcAttr{Credential: p.owner}
	// A MariaDB that starts deletes all temporary tables where it keeps its own,
	// and others that keep theirs there crash.
	cmd.Env = append(os.Environ(), "TMPDIR="+p.dir)
	return cmd
}

func (p *Private) run(command ...string) {
	p.t.Helper()
	if out, err := p.exec(command...).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", command[0], err, out)
	}
}

// Start starts the server and returns once it lets users in.
func (p *Private) Start() {
	p.t.Helper()
	p.mu.Lock()
	p.cmd = p.exec(p.command...)
	p.cmd.Stderr = &p.log
	err := p.cmd.Start()
	p.mu.Unlock()
	if err != nil {
		p.t.Error(err)
		return
	}
	const patience = 60 * time.Second
	for began := time.Now(); ; {
		if err = p.answers(); err == nil {
			return
		}
		if time.Since(began) > patience {
			p.t.Errorf("the private server does not come up: %v", err)
			return
		}
		<-time.After(50 * time.Millisecond) // a process that starts gives no sign
	}
}

func (p *Private) answers() error {
	db, err := open(p.url)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(context.WithoutCancel(p.t.Context()))
}

// Kill ends the server as a power cut does: kill -9.
func (p *Private) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Kill() // an error says that it has ended already
	_ = p.cmd.Wait()
	p.cmd = nil
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// program finds a program on the path or where Debian keeps servers.
func program(name string) (string, bool) {
	if path, err := exec.LookPath(name); err == nil {
		return path, true
	}
	path := filepath.Join("/usr/sbin", name)
	_, err := os.Stat(path)
	return path, err == nil
}

// postgresPrograms is the newest directory with the server's programs, which
// Debian keeps off the path; empty when there is none.
func postgresPrograms() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.Max(found))
}
