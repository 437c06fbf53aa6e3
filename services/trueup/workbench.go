package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

// workbench is what a command works on: both databases open for reading, and
// the pairs it was asked for.
type workbench struct {
	*assembly.Databases
	pairs []resolved
	// leftOut are tables that should be compared and cannot; oneSided are
	// those that only one side has. Sentences, for the report.
	leftOut, oneSided []string
}

// resolved is a pair as asked for and as it is compared.
type resolved struct {
	asked assembly.Pair
	pair  *schema.Pair
}

// open opens the databases and resolves the pairs. A pair that was asked for
// and cannot be compared is an error before any work; one that was not asked
// for by name is said on stderr and left out, and the exit status tells.
func (a *app) open(ctx context.Context, j *job, conns int) (*workbench, error) {
	dbs, err := assembly.Open(ctx, j.source, j.target, assembly.Access{Conns: conns, Application: "trueup"})
	if err != nil {
		return nil, err
	}
	bench := &workbench{Databases: dbs}
	if err := a.resolve(ctx, j, bench); err != nil {
		dbs.Close()
		return nil, err
	}
	return bench, nil
}

func (a *app) resolve(ctx context.Context, j *job, bench *workbench) error {
	named := len(j.pairs) > 0
	if !named {
		if err := a.addCommonTables(ctx, j, bench); err != nil {
			return err
		}
	}
	for _, asked := range j.pairs {
		pair, err := bench.Resolve(ctx, asked.Mapping(), methodOf(asked))
		switch {
		case err == nil:
			bench.pairs = append(bench.pairs, resolved{asked: asked, pair: pair})
		case named || ctx.Err() != nil || database.ClassOf(err) != 0:
			return err
		default:
			printError(a.stderr, fmt.Errorf("left out: %w", err))
			bench.leftOut = append(bench.leftOut, err.Error())
			a.worsen(statusTrouble)
		}
	}
	if len(bench.pairs) == 0 {
		return errors.New("none of the tables can be compared")
	}
	return nil
}

// addCommonTables makes a pair of every table that both sides have.
func (a *app) addCommonTables(ctx context.Context, j *job, bench *workbench) error {
	source, err := bench.Source.Tables(ctx)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	target, err := bench.Target.Tables(ctx)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	for _, name := range source {
		switch {
		case !slices.Contains(target, name):
			fmt.Fprintf(a.stderr, "trueup: table %s is only at the source; to compare it under another name write %s=its_name\n", name, name)
			bench.oneSided = append(bench.oneSided, "table "+name+" is only at the source")
		case strings.Contains(name, "."):
			fmt.Fprintf(a.stderr, "trueup: table %s is left out: write its schema in front, schema.%s\n", name, name)
			bench.leftOut = append(bench.leftOut, "table "+name+": write its schema in front, schema."+name)
			a.worsen(statusTrouble)
		default:
			pair := j.template
			pair.Name, pair.Source, pair.Target = name, name, name
			j.file.Pairs = append(j.file.Pairs, pair)
		}
	}
	for _, name := range target {
		if !slices.Contains(source, name) {
			fmt.Fprintf(a.stderr, "trueup: table %s is only at the target\n", name)
			bench.oneSided = append(bench.oneSided, "table "+name+" is only at the target")
		}
	}
	if len(j.file.Pairs) == 0 {
		return errors.New("the databases have no table name in common; name the tables, source_name=target_name")
	}
	if err := j.file.Validate(); err != nil {
		return &usageError{err}
	}
	j.pairs = j.file.Pairs
	return nil
}
