package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// result is one measured number.
type result struct {
	Name     string   `json:"name"`
	Value    float64  `json:"value"`
	Unit     string   `json:"unit"`
	Baseline *float64 `json:"baseline"` // what Value is compared with, in the same unit; null when there is nothing
	Ratio    *float64 `json:"ratio"`    // the measured whole over the baseline
	Target   string   `json:"target"`
	Met      bool     `json:"met"`
}

func atMost(name string, value float64, unit string, target float64) result {
	value = round(value)
	return result{Name: name, Value: value, Unit: unit, Target: "≤ " + number(target) + " " + unit, Met: value <= target}
}

func atLeast(name string, value float64, unit string, target float64) result {
	value = round(value)
	return result{Name: name, Value: value, Unit: unit, Target: "≥ " + number(target) + " " + unit, Met: value >= target}
}

// against adds what the value is compared with: whole is the measured amount and baseline its counterpart.
func (r result) against(baseline, whole float64) result {
	baseline = round(baseline)
	r.Baseline = &baseline
	if baseline != 0 {
		ratio := round(whole / baseline)
		r.Ratio = &ratio
	}
	return r
}

func (r result) amount(v float64) string { return number(v) + " " + r.Unit }

// round keeps three decimals, more than any measurement here is good for.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }

func number(v float64) string {
	if math.Abs(v) >= 100 {
		v = math.Round(v)
	}
	return strconv.FormatFloat(round(v), 'f', -1, 64)
}

func printTable(w io.Writer, rs []result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nmeasurement\tvalue\tbaseline\tratio\tbudget\tkept")
	for _, r := range rs {
		baseline, ratio, met := "", "", "yes"
		if r.Baseline != nil {
			baseline = r.amount(*r.Baseline)
		}
		if r.Ratio != nil {
			ratio = strconv.FormatFloat(*r.Ratio, 'f', 2, 64)
		}
		if !r.Met {
			met = "NO"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.amount(r.Value), baseline, ratio, r.Target, met)
	}
	_ = t.Flush() // the terminal is gone: nobody to tell
}

func writeReport(path string, rs []result) error {
	if rs == nil {
		rs = []result{}
	}
	b, err := json.MarshalIndent(rs, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// times is measured durations.
type times []time.Duration

// at is the p-th percentile in milliseconds: the smallest measured value that p percent don't exceed.
func (t times) at(p float64) float64 {
	if len(t) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(t))
	i := max(0, int(math.Ceil(float64(len(s))*p/100))-1)
	return float64(s[i].Microseconds()) / 1000
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
