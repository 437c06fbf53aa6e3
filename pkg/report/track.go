package report

// trackBuckets bounds the buckets of a track: as many as bars that can be told
// apart on a screen.
const trackBuckets = 96

// Track says where in the order of a key index findings lie. Ranges come by
// their number, in any order and any number of them; when there are more than
// buckets, two neighbours become one, so that memory is bounded.
type Track struct {
	// Title says which index was walked.
	Title string
	// Left is the number of rows, by the engine's estimate, that were not
	// looked at because the walk ended early.
	Left int64

	buckets []Bucket
	// width is how many ranges make a bucket, a power of two.
	width int
}

// Bucket is what some neighbouring ranges held.
type Bucket struct {
	Ranges, Unreadable int64
	Rows               int64
	Found              Kinds
	// From and Through are the keys around it, empty at the ends of the index
	// or when not known.
	From, Through string

	first, last int  // the ranges From and Through are of
	unfinished  bool // found when drawn: there are findings and no range
}

// Stretch is one range of a walk.
type Stretch struct {
	Number     int
	Rows       int64
	Unreadable bool
	// From and Through are the keys around it.
	From, Through string
	// Found counts what a comparison of numbers alone concludes from them.
	Found Kinds
}

// Range adds a range that was looked at.
func (t *Track) Range(r Stretch) {
	b := t.bucket(r.Number)
	if b.Ranges == 0 || r.Number < b.first {
		b.first, b.From = r.Number, r.From
	}
	if b.Ranges == 0 || r.Number > b.last {
		b.last, b.Through = r.Number, r.Through
	}
	b.Ranges++
	b.Rows += r.Rows
	if r.Unreadable {
		b.Unreadable++
	}
	b.Found.add(r.Found)
}

// Find adds a finding to a range.
func (t *Track) Find(number int, kind Kind) { t.bucket(number).Found[kind]++ }

// Buckets are the buckets that hold anything, in the order of the keys.
func (t *Track) Buckets() []Bucket {
	var out []Bucket
	for _, b := range t.buckets {
		if b.Ranges > 0 || b.Found.Total() > 0 {
			out = append(out, b)
		}
	}
	return out
}

// Rows is the number of rows looked at.
func (t *Track) Rows() int64 {
	var rows int64
	for _, b := range t.buckets {
		rows += b.Rows
	}
	return rows
}

func (t *Track) bucket(number int) *Bucket {
	t.width = max(t.width, 1)
	for number/t.width >= trackBuckets {
		t.halve()
	}
	i := number / t.width
	for len(t.buckets) <= i {
		t.buckets = append(t.buckets, Bucket{})
	}
	return &t.buckets[i]
}

func (t *Track) halve() {
	t.width *= 2
	half := t.buckets[:0]
	for i := 0; i < len(t.buckets); i += 2 {
		b := t.buckets[i]
		if i+1 < len(t.buckets) {
			b = b.join(t.buckets[i+1])
		}
		half = append(half, b)
	}
	t.buckets = half
}

// join is a bucket and the one behind it.
func (b Bucket) join(next Bucket) Bucket {
	switch {
	case next.Ranges == 0:
	case b.Ranges == 0:
		b.first, b.From, b.last, b.Through = next.first, next.From, next.last, next.Through
	default:
		b.last, b.Through = next.last, next.Through
	}
	b.Ranges += next.Ranges
	b.Unreadable += next.Unreadable
	b.Rows += next.Rows
	b.Found.add(next.Found)
	return b
}
