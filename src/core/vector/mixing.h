// Numbers that look random, the same on every machine.
#pragma once

#include <cstdint>

namespace lookalike {

/// The step of splitmix64's state from one number of its sequence to the next.
constexpr uint64_t kMixingStep = 0x9e3779b97f4a7c15u;

/// What splitmix64 makes of a state: each bit of it changes about half of the bits.
constexpr uint64_t mixed(uint64_t state) {
    state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
    state = (state ^ (state >> 27)) * 0x94d049bb133111ebu;
    return state ^ (state >> 31);
}

}  // namespace lookalike
