package validate

// Tracer follows runs and what becomes of their ranges. It is asked once for a run
// and a few times for a range, never for a row, and must not block. Contexts are
// W3C trace contexts, as findings carry them (event.Finding.TraceParent).
type Tracer interface {
	// Run begins a run that ends.
	Run(spec Run) (context string, end func(Verdict, error))
	// Range begins the first look at a range, or at rows that are named, of the run
	// with the given context, which is empty for one that does not end. The end is
	// told whether all of it was looked at.
	Range(run string, spec Run, place Place) (context string, end func(r RangeReport, finished bool))
	// Confirm begins the second look at suspects of the range with the given context.
	Confirm(of string, suspects int) (context string, end func(error))
}

func (r *run) traceRun() (end func(Verdict, error)) {
	if r.tracer == nil {
		return func(Verdict, error) {}
	}
	r.trace, end = r.tracer.Run(r.spec)
	return end
}

func (r *run) traceRange(t *task) (end func(RangeReport, bool)) {
	if r.tracer == nil {
		return func(RangeReport, bool) {}
	}
	t.trace, end = r.tracer.Range(r.trace, r.spec, t.place())
	return end
}

// traceLook begins the second look at suspects, for each of their ranges.
func (r *run) traceLook(batch []suspect) (contexts map[*task]string, end func(error)) {
	if r.tracer == nil {
		return nil, func(error) {}
	}
	suspects := map[*task]int{}
	for _, s := range batch {
		suspects[s.task]++
	}
	contexts = make(map[*task]string, len(suspects))
	ends := make([]func(error), 0, len(suspects))
	for t, n := range suspects {
		context, end := r.tracer.Confirm(t.trace, n)
		contexts[t] = context
		ends = append(ends, end)
	}
	return contexts, func(err error) {
		for _, end := range ends {
			end(err)
		}
	}
}
