package governor

import (
	"testing"

	"github.com/trueup/trueup/internal/circletest"
)

func TestMain(m *testing.M) { circletest.Main(m) }
