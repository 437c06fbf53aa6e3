package main

import (
	"context"
	"errors"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/schema"
)

// resolvedPair is a pair of tables as trueup sees it, with both databases open.
type resolvedPair struct {
	*schema.Pair
	source, target *database.DB
}

func (p *resolvedPair) close() {
	_ = p.source.Close() // only read from
	_ = p.target.Close()
}

// resolve opens both databases and resolves a table of theirs.
func resolve(ctx context.Context, m match, table string, method schema.Method) (*resolvedPair, error) {
	source, err := database.Open(ctx, database.Config{DSN: m.source.dsn, ReadOnly: true, Application: "trueup-bench"})
	if err != nil {
		return nil, err
	}
	target, err := database.Open(ctx, database.Config{DSN: m.target.dsn, ReadOnly: true, Application: "trueup-bench"})
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	p := &resolvedPair{source: source, target: target}
	if p.Pair, err = resolveTable(ctx, p, table, method); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func resolveTable(ctx context.Context, p *resolvedPair, table string, method schema.Method) (*schema.Pair, error) {
	name := schema.ParseName(table)
	source, err := p.source.Table(ctx, name)
	if err != nil {
		return nil, err
	}
	target, err := p.target.Table(ctx, name)
	if err != nil {
		return nil, err
	}
	return schema.Resolve(schema.Mapping{Name: table, Source: name, Target: name}, source, target, method,
		schema.DigestTexts{Source: p.source.Dialect().DigestText, Target: p.target.Dialect().DigestText})
}
