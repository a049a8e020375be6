// The one door between the two error worlds: PostgreSQL code calls core code that may throw through
// run_core(), and an exception becomes an ERROR only after C++ has unwound.
#pragma once

#include "pg/server.h"

extern "C" {
#include "miscadmin.h"
}

#include <cstring>
#include <exception>
#include <new>
#include <type_traits>

namespace lookalike {

/// What an exception said, copied out of it.
struct CoreFailure {
    bool failed;
    bool out_of_memory;
    char message[256];
};

[[noreturn]] inline void raise_core_failure(const CoreFailure& failure) {
    ereport(ERROR, (errcode(failure.out_of_memory ? ERRCODE_OUT_OF_MEMORY : ERRCODE_INTERNAL_ERROR),
                    errmsg("%s", failure.message)));
    pg_unreachable();
}

/// Thrown where C++ is told that the statement is to end.
struct Cancelled {};

/// For core code that takes long: to be called now and then within run_core().
inline void throw_if_cancelled() {
    if (QueryCancelPending || ProcDiePending) throw Cancelled{};
}

/// Runs `function`, which must not call PostgreSQL, and returns what it returns.
template <typename Function>
auto run_core(Function&& function) -> decltype(function()) {
    using Result = decltype(function());
    static_assert(std::is_void_v<Result> || std::is_trivially_copyable_v<Result>,
                  "an ERROR may jump over the result");
    CoreFailure failure;
    failure.failed = false;
    bool is_cancelled = false;
    try {
        return function();
    } catch (const Cancelled&) {
        is_cancelled = true;
        failure = {true, false, "cancelled"};
    } catch (const std::bad_alloc&) {
        failure = {true, true, "out of memory"};
    } catch (const std::exception& error) {
        failure.failed = true;
        failure.out_of_memory = false;
        strlcpy(failure.message, error.what(), sizeof failure.message);
    } catch (...) {
        failure = {true, false, "unknown failure"};
    }
    if (is_cancelled) CHECK_FOR_INTERRUPTS();
    raise_core_failure(failure);
}

/// An object of core that lives as long as the current memory context, which destroys it.
/// The context owns the slot; `create` fills it later, so that nothing is ever without an owner.
template <typename Object>
class ContextOwned {
  public:
    static ContextOwned* make() {
        auto* owned = static_cast<ContextOwned*>(palloc0(sizeof(ContextOwned)));
        owned->callback_.func = [](void* argument) {
            auto* self = static_cast<ContextOwned*>(argument);
            delete self->object_;
            self->object_ = nullptr;
        };
        owned->callback_.arg = owned;
        MemoryContextRegisterResetCallback(CurrentMemoryContext, &owned->callback_);
        return owned;
    }

    template <typename... Arguments>
    Object* create(Arguments&&... arguments) {
        run_core([&] { object_ = new Object(static_cast<Arguments&&>(arguments)...); });
        return object_;
    }

    Object* get() const { return object_; }

  private:
    MemoryContextCallback callback_;
    Object* object_;
};

}  // namespace lookalike
