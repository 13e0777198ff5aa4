import Glibc

/// What wakes a loop that rests: many signals before one wait are one, and none is lost.
///
/// Waits by CLOCK_MONOTONIC (pthread_condattr_setclock(3)), so that a step of the wall clock neither lengthens nor
/// shortens a wait, as DispatchSemaphore's are on Linux. `@unchecked Sendable`: the mutex protects `isRinging`, and the
/// three are freed with the last reference to the bell.
@safe package final class Bell: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var isRinging = false

  package init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe condition.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    // None of these fails with these arguments.
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// From any thread.
  package func ring() {
    unsafe pthread_mutex_lock(mutex)
    isRinging = true
    unsafe pthread_cond_broadcast(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Returns when it rings, or after so long; `nil`: only when it rings. `true`: it rang.
  @discardableResult
  package func wait(for duration: Duration?) -> Bool {
    var end = timespec()
    if let duration {
      unsafe clock_gettime(CLOCK_MONOTONIC, &end)
      let (seconds, attoseconds) = max(.zero, duration).components
      end.tv_sec += Int(clamping: min(seconds, 1_000_000_000))
      end.tv_nsec += Int(attoseconds / 1_000_000_000)
      if end.tv_nsec >= 1_000_000_000 {
        (end.tv_sec, end.tv_nsec) = (end.tv_sec + 1, end.tv_nsec - 1_000_000_000)
      }
    }
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while !isRinging {
      let code =
        duration == nil
        ? unsafe pthread_cond_wait(condition, mutex)
        : unsafe pthread_cond_timedwait(condition, mutex, &end)
      if code == ETIMEDOUT { break }
    }
    defer { isRinging = false }
    return isRinging
  }

  /// The same up to an instant; `nil`: only when it rings.
  @discardableResult
  package func wait(until end: ContinuousClock.Instant?) -> Bool {
    wait(for: end.map { $0 - .now })
  }
}
