package main

import (
	"context"
	"fmt"
	"net"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/types"
	"github.com/sirupsen/logrus"
	"github.com/twmb/franz-go/pkg/kfake"
)

// partitions of the demo's findings topic: enough for its three fixers.
const partitions = 6

// startKafka starts an in-process Kafka on a free loopback port.
func startKafka() (brokers []string, stop func(), err error) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return nil, nil, fmt.Errorf("start the embedded Kafka: %w", err)
	}
	return cluster.ListenAddrs(), cluster.Close, nil
}

// startMySQL starts an in-process MySQL server with one empty database on a
// free loopback port. It keeps everything in memory.
func startMySQL(database string) (address string, stop func(), err error) {
	logrus.SetLevel(logrus.FatalLevel) // the embedded server narrates every connection
	db := memory.NewDatabase(database)
	db.EnablePrimaryKeyIndexes()
	provider := memory.NewDBProvider(db)
	engine := sqle.NewDefault(provider)
	engine.Analyzer.Catalog.MySQLDb.AddRootAccount() // without an account SHOW GRANTS is an error
	acceptLockTimeout()

	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start an embedded MySQL: %w", err)
	}
	turns := newTurns()
	srv, err := server.NewServer(server.Config{
		Protocol: "tcp", Address: listener.Addr().String(), Listener: listener,
		Options: []server.Option{turns.before},
	}, engine, sql.NewContext, turns.watch(memory.NewSessionBuilder(provider)), nil)
	if err != nil {
		_ = listener.Close() // the error that counts is the server's
		return "", nil, fmt.Errorf("start an embedded MySQL: %w", err)
	}
	go func() { _ = srv.Start() }()   // ends with Close; an accept error shows as a failed query
	stop = func() { _ = srv.Close() } // it ends with the demo either way
	return listener.Addr().String(), stop, nil
}

// acceptLockTimeout lets a session set innodb_lock_wait_timeout, as MySQL does.
// The embedded server knows the variable but not that it belongs to sessions;
// it waits for no locks, so that the value has no effect.
func acceptLockTimeout() {
	const name = "innodb_lock_wait_timeout"
	sql.SystemVariables.AddSystemVariables([]sql.SystemVariable{&sql.MysqlSystemVariable{
		Name: name, Scope: sql.GetMysqlScope(sql.SystemVariableScope_Both), Dynamic: true,
		Type: types.NewSystemIntType(name, 1, 1<<30, false), Default: int64(50), // seconds, MySQL's bounds and default
	}})
}
