package database

import (
	"context"
	"fmt"
	"strconv"

	gomysql "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/dialect/mysql"
	"github.com/trueup/trueup/pkg/dialect/postgres"
)

// dialectBefore is the dialect until the server's version is known: good enough
// to say what an error in connecting means.
func dialectBefore(a address) dialect.Dialect {
	if a.mysql() {
		return mysql.Dialect{}
	}
	return postgres.Dialect{}
}

func newMySQLDialect(version string) (dialect.Dialect, error) { return mysql.New(version) }

func newPostgresDialect(version string) (dialect.Dialect, error) { return postgres.New(version) }

type mysqlServer struct {
	version   string
	maxPacket int64
}

func newMySQLConnector(config *gomysql.Config) (*mysqlConnector, error) {
	plain, err := gomysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("read the DSN: %w", err)
	}
	return &mysqlConnector{Connector: plain, timeout: config.Timeout, application: defaultApplication}, nil
}

// askMySQL connects once to learn what the pool has to know beforehand.
func askMySQL(ctx context.Context, config *gomysql.Config) (mysqlServer, error) {
	connector, err := newMySQLConnector(config)
	if err != nil {
		return mysqlServer{}, err
	}
	link, err := connector.link(ctx)
	if err != nil {
		return mysqlServer{}, err
	}
	defer link.Close()
	answer, err := link.ask(ctx, "SELECT VERSION(), @@max_allowed_packet")
	if err == nil && len(answer) != 1 {
		err = fmt.Errorf("%d rows came back", len(answer))
	}
	if err != nil {
		return mysqlServer{}, fmt.Errorf("ask for the version: %w", err)
	}
	packet, err := strconv.ParseInt(answer[0][1], 10, 64)
	if err != nil {
		return mysqlServer{}, fmt.Errorf("ask for max_allowed_packet: %w", err)
	}
	return mysqlServer{version: answer[0][0], maxPacket: packet}, nil
}

// askPostgres connects once to learn the server's version.
func askPostgres(ctx context.Context, config *pgxpool.Config) (string, error) {
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig.Copy())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	return conn.PgConn().ParameterStatus("server_version"), nil
}
