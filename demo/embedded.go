package main

import (
	"context"
	"fmt"
	"net"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/analyzer"
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
	// The postfix tells clients that this server is not MySQL itself.
	engine := sqle.New(analyzer.NewDefault(provider), &sqle.Config{VersionPostfix: "dolt"})

	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start an embedded MySQL: %w", err)
	}
	srv, err := server.NewServer(server.Config{
		Protocol: "tcp", Address: listener.Addr().String(), Listener: listener,
		Options: []server.Option{inTurns},
	}, engine, sql.NewContext, memory.NewSessionBuilder(provider), nil)
	if err != nil {
		return "", nil, fmt.Errorf("start an embedded MySQL: %w", err)
	}
	go func() { _ = srv.Start() }() // ends with Close; an accept error shows as a failed query
	return listener.Addr().String(), func() { _ = srv.Close() }, nil
}
