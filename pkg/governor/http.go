package governor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	neturl "net/url"
)

// HTTP is a probe that asks a URL whether there may be load: 0 when it answers
// 200, and 2, which is very bad beside a limit of 1, when it answers anything
// else. No answer at all is an error, so that what watches goes by whether the
// check is hard.
func HTTP(client *http.Client, url string) Probe {
	return func(ctx context.Context) (float64, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return 0, errors.New("ask whether there may be load: the URL cannot be read")
		}
		response, err := client.Do(request)
		if err != nil {
			if e, ok := errors.AsType[*neturl.Error](err); ok {
				err = e.Err // without the URL, which may hold a secret
			}
			return 0, fmt.Errorf("ask whether there may be load: %w", err)
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return 0, nil
		}
		return veryBad, nil
	}
}
