package kafka

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
)

// Headers of a mark, a message in the dead topic that says what became of a
// letter. It has the letter's key and no value, so that it stands behind it in
// the same partition and retention never takes it first.
const (
	HeaderSettled  = "trueup-settled"    // the Mark
	HeaderSettles  = "trueup-settles"    // what tells the letter from others of its key
	HeaderSettleAt = "trueup-settles-at" // the letter's partition/offset
)

// Mark says what became of a dead letter.
type Mark string

// The marks.
const (
	// Retried: its finding was published again.
	Retried Mark = "retried"
	// Dropped: a person decided that nothing is to be done.
	Dropped Mark = "dropped"
)

// Letter is a message of the dead topic.
type Letter struct {
	// Message is the letter as it stands in the dead topic.
	Message
	Class  string
	Reason string
	// Origin is the topic/partition/offset the message was first read at.
	Origin string
	// Omitted is the size of a value that was left out; 0 when none was.
	Omitted int
}

func letterOf(m *sarama.ConsumerMessage) Letter {
	l := Letter{Message: received(m)}
	h := l.Record.Headers
	l.Class, l.Reason, l.Origin = h[HeaderErrorClass], h[HeaderErrorReason], l.origin()
	l.Omitted, _ = strconv.Atoi(h[HeaderValueBytes])
	return l
}

// identity tells letters of a partition apart. Those about one row are one, the
// last of them; each that cannot be read stands for itself.
func (l *Letter) identity() string {
	what := "offset " + strconv.FormatInt(l.Offset, 10)
	if l.DecodeErr == nil {
		what = "row " + string(event.RowKey(l.Finding.Pair, l.Finding.Key.Values()))
	}
	sum := sha256.Sum256(append(strconv.AppendInt(nil, int64(len(l.Record.Key)), 10), string(l.Record.Key)+what...))
	return hex.EncodeToString(sum[:16])
}

// OpenLetters calls each with every letter of the dead topic that is open, in
// the order of the partitions: the last one about its row, if no mark settles it.
// A mark settles the letter it was made for and those before it, never one that
// came after somebody looked. What comes while reading is left out.
//
// It takes the memory of a few dozen bytes for each row that has a letter.
func (s *Scanner) OpenLetters(ctx context.Context, topics Topics, each func(Letter) error) error {
	partitions, err := s.Partitions(topics.Dead)
	if err != nil {
		return err
	}
	known := desk{}
	ends := map[int32]int64{}
	for _, look := range []func(*sarama.ConsumerMessage) error{known.sort, known.open(each)} {
		for _, p := range partitions {
			from, to, err := s.Span(ctx, topics.Dead, p, time.Time{})
			if err != nil {
				return err
			}
			if _, looked := ends[p]; !looked {
				ends[p] = to
			}
			if err := s.messages(ctx, topics.Dead, p, from, ends[p], look); err != nil {
				return err
			}
		}
	}
	return nil
}

// desk is what is known of letters, by partition and identity.
type desk map[place]*standing

type place struct {
	partition int32
	identity  string
}

// standing is the offset of a row's last letter, and the one after the last
// that is settled.
type standing struct{ last, settled int64 }

func (d desk) of(partition int32, identity string) *standing {
	at := place{partition, identity}
	if d[at] == nil {
		d[at] = &standing{}
	}
	return d[at]
}

func (d desk) sort(m *sarama.ConsumerMessage) error {
	h := record(m).Headers
	if h[HeaderSettled] == "" {
		l := letterOf(m)
		d.of(m.Partition, l.identity()).last = m.Offset
		return nil
	}
	partition, offset, err := settledAt(h)
	if err != nil {
		return fmt.Errorf("offset %d: %w", m.Offset, err)
	}
	s := d.of(partition, h[HeaderSettles])
	s.settled = max(s.settled, offset+1)
	return nil
}

// settledAt is where the letter stands that a mark is about.
func settledAt(headers map[string]string) (partition int32, offset int64, err error) {
	at := headers[HeaderSettleAt]
	if _, err := fmt.Sscanf(at, "%d/%d", &partition, &offset); err != nil {
		return 0, 0, fmt.Errorf("a mark says that it settles %q: %w", at, err)
	}
	return partition, offset, nil
}

// Mark is what the record of the dead topic says about letters: those of its key
// before an offset of its partition are dealt with. ok is false for a letter.
func (r Followed) Mark() (mark Mark, before int64, ok bool) {
	mark = Mark(r.Headers[HeaderSettled])
	if mark == "" {
		return "", 0, false
	}
	partition, offset, err := settledAt(r.Headers)
	if err != nil || partition != r.Partition {
		return mark, 0, true // which settles nothing that is known
	}
	return mark, offset + 1, true
}

func (d desk) open(each func(Letter) error) func(*sarama.ConsumerMessage) error {
	return func(m *sarama.ConsumerMessage) error {
		if record(m).Headers[HeaderSettled] != "" {
			return nil
		}
		l := letterOf(m)
		if s := d.of(m.Partition, l.identity()); m.Offset < s.last || m.Offset < s.settled {
			return nil
		}
		return each(l)
	}
}

// ErrOmitted: a letter has no value that could be published again.
var ErrOmitted = errors.New("the message was too large for the dead topic and stands at its origin only; produce it again from there, or start a run")

// PublishAgain writes the findings of letters to the topic of findings, as they
// first came. Mark them when it returns nil, and not before: a letter that is
// retried twice does no harm.
func (p *Publisher) PublishAgain(ctx context.Context, letters []Letter) error {
	return publish(ctx, p, p.topics.Findings, letters, func(l Letter) (event.Record, error) {
		if l.Omitted > 0 {
			return event.Record{}, fmt.Errorf("letter of %s: %w", l.Origin, ErrOmitted)
		}
		r := l.Record
		r.Headers = maps.Clone(r.Headers)
		for _, h := range []string{
			HeaderErrorClass, HeaderErrorReason, HeaderAttempts, HeaderOriginTopic, HeaderOriginPartition, HeaderOriginOffset,
			HeaderNotBefore, HeaderWaitingSince,
		} {
			delete(r.Headers, h)
		}
		return r, nil
	})
}

// PublishMarks says what became of letters.
func (p *Publisher) PublishMarks(ctx context.Context, mark Mark, letters []Letter) error {
	return publish(ctx, p, p.topics.Dead, letters, func(l Letter) (event.Record, error) {
		at := fmt.Sprintf("%d/%d", l.Partition, l.Offset)
		return event.Record{Key: l.Record.Key, Headers: map[string]string{
			event.HeaderID: "settles/" + at, HeaderSettled: string(mark), HeaderSettles: l.identity(), HeaderSettleAt: at,
		}}, nil
	})
}

// CheckDead returns an error unless the dead topic keeps letters until they are
// old: compaction would take a letter that came between a look and its mark.
func (a *Admin) CheckDead(ctx context.Context) error {
	name := a.config.Topics().Dead
	_, err := connected(ctx, a.config, "check topic "+name, func(_ sarama.Client, admin sarama.ClusterAdmin) (struct{}, error) {
		policy, err := policyOf(admin, name)
		if err == nil && policy != "delete" {
			err = fmt.Errorf("it has cleanup.policy %q and may forget letters that nobody has seen: set cleanup.policy=delete on it", policy)
		}
		return struct{}{}, err
	})
	return err
}
