import Foundation
import TestSupport

/// Kills the program's daemons at random moments, under a stream of pushes, and says whether anything was lost, came
/// twice, was torn or left locked.
///
///     distro-crash --count 2000 --seed 7
@main
enum Crash {
  struct Options {
    var count = 200
    var seed = UInt64.random(in: 0..<1_000_000)
    var applierCount = 3
    /// Without them a run is short: the backoffs that they lead to are seconds long.
    var fillsDisks = true

    init(_ arguments: [String]) throws {
      var rest = arguments[...]
      while let name = rest.popFirst() {
        if name == "--no-full-disks" {
          fillsDisks = false
          continue
        }
        guard let number = rest.popFirst().flatMap({ Int($0) }), number >= 0 else {
          throw Failure("\(name) takes a number")
        }
        switch name {
        case "--count": count = number
        case "--seed": seed = UInt64(number)
        case "--appliers": applierCount = max(1, number)
        default: throw Failure("unknown option \(name)")
        }
      }
    }
  }

  /// One broken checkout is a thousand lines of `git status`; it is kept, to be looked at.
  private static let findingLengthMax = 1_000
  private static let findingCountMax = 50

  static func main() {
    do {
      let options = try Options(Array(CommandLine.arguments.dropFirst()))
      exit(try run(options) ? 0 : 1)
    } catch {
      FileHandle.standardError.write(Data("distro-crash: error: \(error)\n".utf8))
      exit(1)
    }
  }

  /// Whether all was well.
  private static func run(_ options: Options) throws -> Bool {
    let canMount = try options.fillsDisks && Disk.prepare()
    let start = ContinuousClock.now
    say("seed \(options.seed), \(options.count) kills, \(options.applierCount) appliers")
    if options.fillsDisks && !canMount { say("no disk is filled: only root can mount one") }
    let world = try World(options, canMount: canMount)
    let havoc = Havoc(world, options)
    var findings: [String] = []
    func attempt(_ step: () throws -> Void) {
      do { try step() } catch { findings.append("\(error)") }
    }
    attempt { try havoc.run() }
    world.end()
    attempt { findings += try Verdict(world).findings() }
    attempt { try havoc.counts.read(world) }
    findings += havoc.findings
    havoc.counts.print(seconds: (ContinuousClock.now - start) / .seconds(1))
    guard !findings.isEmpty else {
      try world.remove()
      say("nothing lost, nothing twice, nothing torn, nothing locked")
      return true
    }
    for finding in findings.prefix(findingCountMax) {
      say("FAILED: \(finding.prefix(findingLengthMax))")
    }
    try world.keep()
    say("seed \(options.seed); everything is kept in \(world.path)")
    return false
  }
}

/// Unbuffered: a run takes its time, and someone may look.
func say(_ line: String) {
  FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
