import Glibc
import Synchronization

/// A task takes longer than it may.
struct RunDeadline: Error {}

/// A task whose jobs run on the thread that waits for it, until it has ended; it is cancelled at a deadline.
final class BlockingRun<Value: Sendable>: Sendable {
  private let limit: Duration
  private let body: @Sendable () async throws -> Value
  private let jobs = JobQueue()
  private let result = Mutex<Result<Value, any Error>?>(nil)

  init(by limit: Duration, _ body: @escaping @Sendable () async throws -> Value) {
    (self.limit, self.body) = (limit, body)
  }

  /// Nothing runs before `wait`.
  func start() -> Task<Void, Never> {
    Task(executorPreference: jobs) { [self] in
      let result: Result<Value, any Error>
      do {
        result = .success(try await race())
      } catch {
        result = .failure(error)
      }
      self.result.withLock { $0 = result }
      jobs.finish()
    }
  }

  /// By one thread, once.
  func wait() throws -> Value {
    jobs.run()
    guard let result = result.withLock({ $0 }) else {
      preconditionFailure("a task that has ended has a result")
    }
    return try result.get()
  }

  private func race() async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { [limit, body] group in
      defer { group.cancelAll() }
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: limit, clock: .suspending)
        return nil
      }
      guard let first = try await group.next(), let value = first else { throw RunDeadline() }
      return value
    }
  }
}

/// Jobs of a task, for one thread that runs them in their order.
///
/// `@unchecked Sendable`: the mutex protects `jobs` and `isFinished`.
@safe private final class JobQueue: TaskExecutor, @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var jobs: [UnownedJob] = []
  private var isFinished = false

  init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe condition.initialize(to: pthread_cond_t())
    // Neither fails without attributes.
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    change { jobs.append(job) }
  }

  /// After the job in hand there will be none.
  func finish() { change { isFinished = true } }

  private func change(_ body: () -> Void) {
    unsafe pthread_mutex_lock(mutex)
    body()
    unsafe pthread_cond_signal(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  func run() {
    while let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
  }

  private func next() -> UnownedJob? {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while jobs.isEmpty && !isFinished { unsafe pthread_cond_wait(condition, mutex) }
    return jobs.isEmpty ? nil : jobs.removeFirst()
  }
}
