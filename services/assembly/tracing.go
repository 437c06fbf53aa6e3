package assembly

import (
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/tracing"
)

// StartTracing begins to trace what the service does, where the environment asks
// for it; see package tracing. It comes before all other parts, so that it ends when
// they have said what they have to say.
func (s *Service) StartTracing() error {
	t, err := tracing.Start("trueup-"+s.Name, ReadBuild().Version, s.Log)
	if err != nil || t == nil {
		return err
	}
	s.Tracing = t
	s.Parts.Add("tracing", t.Run)
	telemetry.WatchTraces(s.Metrics, t.Counts)
	s.Log.Info().Str("endpoint", t.Endpoint()).Msg("tracing")
	return nil
}
