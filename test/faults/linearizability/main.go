// Command linearizability checks the recorded history of each address against a sequential model of an address.
// It reads one operation a line from standard input, and prints one JSON object.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Failure is an address whose history no order of its operations explains, or that could not be checked in time.
type Failure struct {
	Address string `json:"address"`
	// Result is Illegal or Unknown.
	Result string `json:"result"`
	// Unexplained is the earliest operation after the longest part that can be explained.
	Unexplained string `json:"unexplained"`
	Picture     string `json:"picture"`
}

// Report is what the checker found.
type Report struct {
	Addresses  int       `json:"addresses"`
	Operations int       `json:"operations"`
	Failures   []Failure `json:"failures"`
}

func main() {
	timeout := flag.Duration("timeout", time.Minute, "how long the history of one address may take")
	pictures := flag.String("pictures", "", "folder for drawings of what cannot be explained")
	flag.Parse()
	histories, err := read()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	report := Report{Failures: []Failure{}}
	for _, address := range sortedKeys(histories) {
		history := histories[address]
		report.Addresses++
		report.Operations += len(history)
		result, info := porcupine.CheckOperationsVerbose(Model(), history, *timeout)
		if result == porcupine.Ok {
			continue
		}
		failure := Failure{Address: address, Result: string(result), Unexplained: unexplained(history, info)}
		if *pictures != "" {
			path := filepath.Join(*pictures, strings.ReplaceAll(address, ":", "-")+".html")
			if porcupine.VisualizePath(Model(), info, path) == nil {
				failure.Picture = path
			}
		}
		report.Failures = append(report.Failures, failure)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		os.Exit(1)
	}
}

func read() (map[string][]porcupine.Operation, error) {
	histories := map[string][]porcupine.Operation{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for lines.Scan() {
		var operation Operation
		if err := json.Unmarshal(lines.Bytes(), &operation); err != nil {
			return nil, fmt.Errorf("%s: %w", lines.Text(), err)
		}
		histories[operation.Address] = append(histories[operation.Address], porcupine.Operation{
			ClientId: operation.Client,
			Input:    operation,
			Call:     operation.Call,
			Return:   operation.Return,
		})
	}
	return histories, lines.Err()
}

// The earliest to return of those that the longest explained part leaves out.
func unexplained(history []porcupine.Operation, info porcupine.LinearizationInfo) string {
	explained := map[string]bool{}
	longest := 0
	for _, partition := range info.PartialLinearizationsOperations() {
		for _, part := range partition {
			if len(part) <= longest {
				continue
			}
			longest = len(part)
			explained = map[string]bool{}
			for _, operation := range part {
				explained[keyOf(operation)] = true
			}
		}
	}
	var first *porcupine.Operation
	for index := range history {
		operation := &history[index]
		if !explained[keyOf(*operation)] && (first == nil || operation.Return < first.Return) {
			first = operation
		}
	}
	if first == nil {
		return ""
	}
	return fmt.Sprintf("%s, from %d to %d µs", describe(first.Input.(Operation)), first.Call, first.Return)
}

func keyOf(operation porcupine.Operation) string {
	return fmt.Sprintf("%+v", operation.Input)
}

func sortedKeys(histories map[string][]porcupine.Operation) []string {
	var keys []string
	for key := range histories {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
