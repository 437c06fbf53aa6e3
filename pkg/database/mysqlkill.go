package database

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
)

// newTag returns the comment that stands before all statements of a connection.
// Its random part belongs to that connection alone, so that whoever is killed by
// it is ours, whichever server of a cluster answers.
func newTag(application string) (string, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("tag a connection: %w", err)
	}
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-' // nothing that could end the comment, or be a pattern
	}, application)
	return "/* " + plain + " " + hex.EncodeToString(random[:]) + " */ ", nil
}

// killer stops abandoned statements on a MySQL server, over connections of its
// own so that a full pool cannot keep it waiting. It is best effort: where it
// cannot reach the server, Config.StatementTimeout is what ends the statement.
type killer struct {
	connector driver.Connector
	running   sync.WaitGroup
}

// kill ends the connection whose statement starts with tag, in the background.
// An account may always see and kill its own connections.
func (k *killer) kill(tag string) {
	k.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), goodbye)
		defer cancel()
		conn, err := k.connector.Connect(ctx)
		if err != nil {
			return
		}
		link := &mysqlLink{Conn: conn}
		defer link.Close()
		found, err := link.ask(ctx, "SELECT id FROM information_schema.processlist WHERE info LIKE ?", tag+"%")
		if err != nil {
			return
		}
		for _, line := range found {
			_ = link.command(ctx, "KILL "+line[0])
		}
	})
}

// wait returns when everything to be killed has been, or given up.
func (k *killer) wait() { k.running.Wait() }
