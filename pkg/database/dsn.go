package database

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
)

// ExpandDSN replaces every ${NAME} in a DSN by the environment variable of that
// name. A value that lands in the user or password is taken literally, whatever
// characters it holds: it is percent-encoded on the way in. Elsewhere (a host, a
// database, or a variable that holds the whole DSN) it is inserted as it is. A
// variable that is not set is an error that names it.
func ExpandDSN(dsn string) (string, error) {
	return expandDSN(dsn, func(name string, _ bool) (string, bool) { return os.LookupEnv(name) })
}

// expandDSN is ExpandDSN with another source of values, which is told whether the
// value lands in the user or password.
func expandDSN(dsn string, lookup func(name string, secret bool) (string, bool)) (string, error) {
	secret := userinfo(dsn)
	var out strings.Builder
	for rest, at := dsn, 0; ; {
		start := strings.Index(rest, "${")
		if start < 0 {
			out.WriteString(rest)
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest[start+2:], "}")
		if !closed {
			return "", errors.New(`read the DSN: "${" without a closing "}"; write ${NAME}`)
		}
		here := at + start
		hidden := here >= secret.start && here < secret.end
		value, set := lookup(name, hidden)
		if !set {
			return "", fmt.Errorf("read the DSN: the environment variable %s is not set; export it or correct the name", name)
		}
		if hidden {
			value = url.PathEscape(value)
		}
		out.WriteString(rest[:start])
		out.WriteString(value)
		at += len(rest) - len(after)
		rest = after
	}
}

type span struct{ start, end int }

// userinfo finds where user and password stand in a URL: between "://" and the
// last "@" before the path.
func userinfo(text string) span {
	start := strings.Index(text, "://")
	if start < 0 {
		return span{}
	}
	start += len("://")
	end := len(text)
	if i := strings.IndexAny(text[start:], "/?"); i >= 0 {
		end = start + i
	}
	if i := strings.LastIndexByte(text[start:end], '@'); i >= 0 {
		return span{start, start + i}
	}
	return span{}
}

// address is a DSN taken apart. Every part is decoded except host, which may
// hold a port and, for PostgreSQL, several hosts.
type address struct {
	scheme      string
	user        string
	password    string
	hasPassword bool
	host        string
	database    string
	params      []param
}

type param struct{ name, value string }

// Sentences of parseDSN. They quote nothing of the DSN, because a character
// that should have been encoded can move any part of the password anywhere.
var (
	errScheme   = errors.New("the DSN starts with none of mysql://, mariadb://, postgres://, postgresql://; write scheme://user:password@host:port/database")
	errFragment = errors.New(`the DSN holds a "#"; write it as %23 where it belongs to the password`)
	errStrayAt  = errors.New(`the DSN holds an "@" behind the host; in user and password write / as %2F, ? as %3F and @ as %40`)
	errEscape   = errors.New(`the DSN holds a "%" that starts no percent-encoded character; write % as %25`)
	errPort     = errors.New("the port of the DSN is no number from 1 to 65535; in user and password write : as %3A and / as %2F")
)

// parseDSN reads a URL without net/url, whose errors quote what they could not
// read, and which refuses PostgreSQL's lists of hosts.
func parseDSN(text string) (address, error) {
	scheme, rest, found := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	if !found || !slices.Contains([]string{"mysql", "mariadb", "postgres", "postgresql"}, scheme) {
		return address{}, errScheme
	}
	if strings.Contains(rest, "#") {
		return address{}, errFragment
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if strings.Contains(path, "@") || strings.Contains(query, "@") {
		return address{}, errStrayAt
	}
	a := address{scheme: scheme, host: authority}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		a.host = authority[i+1:]
		a.user, a.password, a.hasPassword = strings.Cut(authority[:i], ":")
	}
	a.database = path
	if err := decode(&a.user, &a.password, &a.database); err != nil {
		return address{}, err
	}
	return a, a.readQuery(query)
}

func (a *address) readQuery(query string) error {
	if query == "" {
		return nil
	}
	for part := range strings.SplitSeq(query, "&") {
		var p param
		p.name, p.value, _ = strings.Cut(part, "=")
		if err := decode(&p.name, &p.value); err != nil {
			return err
		}
		if p.name == "password" {
			a.password, a.hasPassword = p.value, true
			continue
		}
		a.params = append(a.params, p)
	}
	return nil
}

// decode percent-decodes in place; "+" stays "+", as in both engines' URLs.
func decode(texts ...*string) error {
	for _, t := range texts {
		decoded, err := url.PathUnescape(*t)
		if err != nil {
			return errEscape
		}
		*t = decoded
	}
	return nil
}

// mysql says whether the scheme is MySQL's or MariaDB's; which of the two it is
// the server says.
func (a address) mysql() bool { return a.scheme == "mysql" || a.scheme == "mariadb" }

// redacted is the address for a person to read: without password and
// parameters.
func (a address) redacted() string {
	user := ""
	if a.user != "" {
		user = url.PathEscape(a.user) + "@"
	}
	return a.scheme + "://" + user + a.host + "/" + url.PathEscape(a.database)
}

// withoutPassword forgets every password of the address.
func (a address) withoutPassword() address {
	a.password = ""
	a.params = slices.DeleteFunc(slices.Clone(a.params), func(p param) bool {
		return strings.Contains(strings.ToLower(p.name), "password")
	})
	return a
}

// template is the address, which holds no password any more, with placeholder
// where it belongs.
func (a address) template(placeholder string) string {
	out := a.url(a.scheme)
	if placeholder == "" || a.user == "" {
		return out
	}
	user := url.PathEscape(a.user)
	return strings.Replace(out, "://"+user+"@", "://"+user+":"+placeholder+"@", 1)
}

// postgresURL is the address as pgx reads it, without the password.
func (a address) postgresURL() string { return a.url("postgres") }

// url is the address under a scheme, with its parameters and without the password.
func (a address) url(scheme string) string {
	a.scheme = scheme
	out := a.redacted()
	for i, p := range a.params {
		separator := "&"
		if i == 0 {
			separator = "?"
		}
		out += separator + encode(p.name) + "=" + encode(p.value)
	}
	return out
}

// encode is a query escape that spells a space as %20: pgx, like libpq, reads
// "+" as itself.
func encode(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// readPasswordFile reads a password, without the line break editors leave at
// the end.
func readPasswordFile(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the password file: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"), nil
}
