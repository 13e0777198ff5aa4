import Foundation
import Git

/// Lives the days of a fleet in seconds, as seeds have them, and says which seed breaks what must always be true.
///
///     distro-simulate --count 10000 --seed 1
///     distro-simulate --count 10000 --seed 1 --jobs 2
///     distro-simulate --seed 4711 --trace
@main
enum Simulate {
  struct Options {
    var count: UInt64 = 1
    var seed: UInt64 = 1
    var eventCount = 40
    /// Prints every event.
    var isTraced = false
    /// Each seed twice, which must be the same.
    var repeats = false
    /// Each fault that is made on purpose must be noticed.
    var isProof = false
    var sabotage: Sabotage?
    var allowsOverlap = true
    var failureCountMax = 10
    /// Processes that share the seeds.
    var jobCount: UInt64 = 1

    init(_ arguments: [String]) throws {
      var rest = arguments[...]
      while let name = rest.popFirst() {
        switch name {
        case "--trace": isTraced = true
        case "--repeat": repeats = true
        case "--no-overlap": allowsOverlap = false
        case "--prove": isProof = true
        default:
          if name == "--sabotage" {
            sabotage = rest.popFirst().flatMap { Sabotage(rawValue: $0) }
            guard sabotage != nil else { throw Failure("\(name) takes a name") }
            continue
          }
          guard let number = rest.popFirst().flatMap({ UInt64($0) }) else {
            throw Failure("\(name) takes a number")
          }
          switch name {
          case "--count": count = number
          case "--seed": seed = number
          case "--events": eventCount = Int(number)
          case "--failures": failureCountMax = Int(number)
          case "--jobs": jobCount = max(1, number)
          default: throw Failure("unknown option \(name)")
          }
        }
      }
    }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// How one seed ended.
  private struct Result {
    let violation: String?
    let last: [String]
    let digest: UInt64
  }

  private static let lastCount = 40
  private static let reportCount: UInt64 = 10
  private static let provingCountMax: UInt64 = 10

  static func main() {
    do {
      try makeHashingRepeat()
      SeededRandomness.install()
      WriteLimit.prepare()
      exit(try run(try Options(Array(CommandLine.arguments.dropFirst()))) ? 0 : 1)
    } catch {
      FileHandle.standardError.write(Data("distro-simulate: error: \(error)\n".utf8))
      exit(1)
    }
  }

  /// Sets and dictionaries have another order in each process, unless the environment says otherwise before it starts.
  private static func makeHashingRepeat() throws {
    let name = "SWIFT_DETERMINISTIC_HASHING"
    guard getenv(name) == nil else { return }
    setenv(name, "1", 1)
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv("/proc/self/exe", &arguments)
    throw Failure("cannot start anew: \(String(cString: strerror(errno)))")
  }

  /// In one of the first seeds, by the invariant that is its own.
  private static func prove(_ options: Options) throws -> Bool {
    var isProved = true
    for sabotage in Sabotage.allCases {
      var options = options
      options.sabotage = sabotage
      var found: (seed: UInt64, violation: String)?
      for seed in options.seed..<options.seed + provingCountMax where found == nil {
        if let violation = try live(seed, options).violation,
          sabotage.invariants.contains(where: { violation.hasPrefix($0) })
        {
          found = (seed, violation)
        }
      }
      isProved = isProved && found != nil
      say("\(sabotage): " + (found.map { "seed \($0.seed): \($0.violation)" } ?? "NOT NOTICED"))
    }
    return isProved
  }

  private static func run(_ options: Options) throws -> Bool {
    if options.isProof { return try prove(options) }
    if options.jobCount > 1 { return try share(options) }
    let start = ContinuousClock.now
    var failed: [UInt64] = []
    for seed in options.seed..<options.seed + options.count {
      let result = try live(seed, options)
      if options.repeats {
        let again = try live(seed, options)
        if again.digest != result.digest { throw Failure("seed \(seed) does not repeat") }
      }
      let count = seed - options.seed + 1
      if count % reportCount == 0 { say("\(count) seeds, \(failed.count) failed") }
      guard let violation = result.violation else { continue }
      failed.append(seed)
      say("")
      for line in result.last { say("  \(line)") }
      say("seed \(seed): \(violation)")
      if failed.count >= options.failureCountMax { break }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    say(
      "\(options.count) seeds from \(options.seed): \(failed.count) failed"
        + (failed.isEmpty ? "" : ": \(failed)") + ", \(Int(seconds)) s")
    return failed.isEmpty
  }

  /// The seeds in equal parts, each lived by a process of its own.
  private static func share(_ options: Options) throws -> Bool {
    let start = ContinuousClock.now
    let part = (options.count + options.jobCount - 1) / options.jobCount
    var processes: [Process] = []
    for first in stride(from: options.seed, to: options.seed + options.count, by: Int(part)) {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      process.arguments = [
        "--seed", "\(first)", "--count", "\(min(part, options.seed + options.count - first))",
        "--events", "\(options.eventCount)", "--failures", "\(options.failureCountMax)",
      ]
      process.arguments? += options.repeats ? ["--repeat"] : []
      process.arguments? += options.allowsOverlap ? [] : ["--no-overlap"]
      try process.run()
      processes.append(process)
    }
    for process in processes { process.waitUntilExit() }
    let failedCount = processes.count { $0.terminationStatus != 0 }
    let seconds = Int((ContinuousClock.now - start) / .seconds(1))
    say(
      "\(options.count) seeds from \(options.seed) in \(processes.count) processes: "
        + (failedCount == 0 ? "all passed" : "\(failedCount) processes failed") + ", \(seconds) s")
    return failedCount == 0
  }

  private static func live(_ seed: UInt64, _ options: Options) throws -> Result {
    // Of one length, so that files are as long in each run.
    let number = String(getpid() % 10_000_000)
    let name = String(repeating: "0", count: 7 - number.count) + number
    let shared = "/dev/shm"
    let parent = access(shared, W_OK) == 0 ? shared : FileManager.default.temporaryDirectory.path
    let root = "\(parent)/distro-simulate-\(name)"
    let world = try World(
      seed: seed, root: root, isPrinted: options.isTraced,
      allowsOverlap: options.allowsOverlap, sabotage: options.sabotage)
    var violation: String?
    do {
      try Scenario(world).run(eventCount: options.eventCount)
    } catch {
      violation = "\(error)".replacing(root, with: "")
    }
    let last = violation == nil ? [] : world.trace.last(lastCount)
    try world.remove()
    return Result(violation: violation, last: last, digest: world.trace.digest)
  }
}

/// Unbuffered: a run takes its time, and someone may look.
func say(_ line: String) {
  WriteLimit.lifted { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}
