package httpapi

import (
	"math"
	"net/http"
	"strconv"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/baas-platform/baas"
)

// maxLimiters bounds the memory of limits; who was away for longest starts anew.
const maxLimiters = 10000

// limiter limits requests by key. A nil limiter allows everything.
type limiter struct {
	rate  rate.Limit
	burst int
	keys  *lru.Cache[string, *rate.Limiter]
}

// newLimiter allows perSecond requests and burst at once for each key; nil without a rate.
func newLimiter(perSecond float64, burst int) *limiter {
	if perSecond <= 0 {
		return nil
	}
	keys, err := lru.New[string, *rate.Limiter](maxLimiters)
	if err != nil { // only for a size below 1
		panic(err)
	}
	return &limiter{rate: rate.Limit(perSecond), burst: max(burst, 1), keys: keys}
}

// take counts a request against the key's limit and says in h how much is left.
func (l *limiter) take(h http.Header, key string, now time.Time) error {
	if l == nil {
		return nil
	}
	k, found := l.keys.Get(key)
	if !found {
		fresh := rate.NewLimiter(l.rate, l.burst)
		if old, there, _ := l.keys.PeekOrAdd(key, fresh); there {
			k = old
		} else {
			k = fresh
		}
	}
	allowed := k.AllowN(now, 1)
	left := k.TokensAt(now)
	h.Set("RateLimit-Limit", strconv.Itoa(l.burst))
	h.Set("RateLimit-Remaining", strconv.Itoa(max(int(left), 0)))
	h.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil((float64(l.burst)-left)/float64(l.rate)))))
	if allowed {
		return nil
	}
	wait := max(int(math.Ceil((1-left)/float64(l.rate))), 1)
	return &baas.Error{Code: baas.CodeRateLimited, Message: "too many requests; wait " + strconv.Itoa(wait) + " s", RetryAfter: wait}
}
