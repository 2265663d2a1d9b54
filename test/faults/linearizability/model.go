package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// Change is what an asynchronous operation does to an address.
type Change string

const (
	Assign   Change = "assign"
	Unassign Change = "unassign"
)

// Unnumbered stands for the action of an operation whose answer was lost.
const Unnumbered int64 = -1

// Operation is one thing that happened to an address between two moments, as the clients saw it.
type Operation struct {
	// Kind is reserve, release, accept, end, open, read or refuse.
	Kind    string `json:"kind"`
	Address string `json:"address"`
	// Call and Return are microseconds of one clock that all clients share.
	Call   int64  `json:"call"`
	Return int64  `json:"return"`
	Client int    `json:"client"`
	Told   string `json:"told"`

	Account int64 `json:"account"`
	// Maybe says that nobody knows whether it took effect: no answer came.
	Maybe  bool   `json:"maybe"`
	Change Change `json:"change"`
	// Droplet is where an assign takes the address, or where a read saw it; 0 is nowhere.
	Droplet int64 `json:"droplet"`
	Action  int64 `json:"action"`
	// Unanswered marks the end of an action whose number no client was told when it was accepted.
	Unanswered bool `json:"unanswered"`
	// Status is how an action ended: completed or errored.
	Status string `json:"status"`
	// Found and Locked are what a read saw.
	Found  bool `json:"found"`
	Locked bool `json:"locked"`
	// Reason is why a request was refused: pending, already_assigned, not_assigned, not_found or occupied.
	Reason string `json:"reason"`
}

// State is an address between two operations.
type State struct {
	// Account holds the address; 0 is nobody.
	Account int64
	// Droplet is where it is; 0 is nowhere.
	Droplet int64
	// Action is open on it; 0 is none, Unnumbered one whose number no client was told.
	Action int64
	Change Change
	Target int64
}

func (state State) heldBy(account int64) bool { return state.Account == account }
func (state State) idle() bool                { return state.Action == 0 }

// Next answers the states that can follow, none when the operation cannot have happened in this one.
func Next(state State, operation Operation) []State {
	followers := following(state, operation)
	if operation.Maybe {
		return append(followers, state)
	}
	return followers
}

func following(state State, operation Operation) []State {
	switch operation.Kind {
	case "reserve":
		if state.Account == 0 && state.idle() {
			return []State{{Account: operation.Account}}
		}
	case "release":
		if state.heldBy(operation.Account) && state.idle() {
			return []State{{}}
		}
	case "accept":
		if accepts(state, operation) {
			state.Action, state.Change, state.Target = operation.Action, operation.Change, operation.Droplet
			return []State{state}
		}
	case "end":
		if isOpen(state, operation) {
			return []State{ended(state, operation.Status)}
		}
	case "open":
		if state.Action == operation.Action {
			return []State{state}
		}
	case "read":
		if explainsRead(state, operation) {
			return []State{state}
		}
	case "refuse":
		if explainsRefusal(state, operation) {
			return []State{state}
		}
	}
	return nil
}

func accepts(state State, operation Operation) bool {
	if !state.heldBy(operation.Account) || !state.idle() {
		return false
	}
	if operation.Change == Assign {
		return state.Droplet != operation.Droplet
	}
	return state.Droplet != 0
}

func isOpen(state State, operation Operation) bool {
	action := operation.Action
	if operation.Unanswered {
		action = Unnumbered
	}
	return state.Action == action && state.Change == operation.Change
}

func ended(state State, status string) State {
	if status == "completed" {
		state.Droplet = state.Target
	}
	return State{Account: state.Account, Droplet: state.Droplet}
}

func explainsRead(state State, operation Operation) bool {
	if !operation.Found {
		return !state.heldBy(operation.Account)
	}
	return state.heldBy(operation.Account) && state.Droplet == operation.Droplet && operation.Locked != state.idle()
}

func explainsRefusal(state State, operation Operation) bool {
	if operation.Reason == "not_found" {
		return !state.heldBy(operation.Account)
	}
	if !state.heldBy(operation.Account) {
		return false
	}
	switch operation.Reason {
	case "pending":
		return !state.idle()
	case "already_assigned":
		return state.idle() && state.Droplet == operation.Droplet
	case "not_assigned":
		return state.idle() && state.Droplet == 0
	case "occupied":
		return state.idle() && state.Droplet != operation.Droplet
	}
	return false
}

// Model is the sequential address, for the checker.
func Model() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []interface{} { return []interface{}{State{}} },
		Step: func(state, input, _ interface{}) []interface{} {
			var states []interface{}
			for _, next := range Next(state.(State), input.(Operation)) {
				states = append(states, next)
			}
			return states
		},
		DescribeOperation: func(input, _ interface{}) string { return describe(input.(Operation)) },
	}
	return model.ToModel()
}

func describe(operation Operation) string {
	return fmt.Sprintf("client %d: %s", operation.Client, operation.Told)
}
