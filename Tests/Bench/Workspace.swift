import Foundation

/// A temporary directory with its own home for git, gone at the end.
final class Workspace {
  let path: String
  let environment: Environment
  /// The program that is measured lies beside this one.
  let distro: String

  init(in parent: String) throws {
    var template = Array((parent + "/distro-bench-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      throw ProgramFailure(description: "\(parent): \(String(cString: strerror(errno)))")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    environment = Environment(home: path)
    let ours = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    distro = ours.deletingLastPathComponent().appendingPathComponent("distro").path
    guard FileManager.default.isExecutableFile(atPath: distro) else {
      throw ProgramFailure(description: "\(distro): is not built")
    }
    let configuration = """
      [user]
      name = Bench
      email = bench@example.org
      [init]
      defaultBranch = main
      [gc]
      auto = 0
      [maintenance]
      auto = false
      [advice]
      detachedHead = false
      """
    try write(configuration, to: ".gitconfig")
  }

  deinit { discard([""]) }

  /// Removes what was made; what cannot be removed is shown, and is no reason to stop.
  func discard(_ names: [String]) {
    for name in names {
      do {
        try remove(name)
      } catch {
        FileHandle.standardError.write(Data("distro-bench: \(path(name)): \(error)\n".utf8))
      }
    }
  }

  func path(_ name: String) -> String { path + "/" + name }

  func write(_ text: String, to name: String, isPrivate: Bool = false) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    guard isPrivate else { return }
    guard chmod(path(name), 0o600) == 0 else {
      throw ProgramFailure(description: "\(name): \(String(cString: strerror(errno)))")
    }
  }

  func remove(_ name: String) throws {
    if FileManager.default.fileExists(atPath: path(name)) {
      try FileManager.default.removeItem(atPath: path(name))
    }
  }

  func makeDirectory(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: path(name), withIntermediateDirectories: true)
  }

  /// Runs to its end; answers how long that took.
  @discardableResult
  func run(
    _ command: [String], in directory: String = "", input: String? = nil,
    endingWith status: Int32 = 0
  ) throws -> Duration {
    try Program(
      command, in: path(directory), input: input.map { path($0) } ?? "/dev/null",
      output: path("output"), environment: environment
    ).wait(endingWith: status)
  }

  @discardableResult
  func git(_ arguments: String..., in directory: String, input: String? = nil) throws -> Duration {
    try run(["git"] + arguments, in: directory, input: input)
  }

  /// What the last program printed, without the line end.
  var output: String {
    get throws {
      try String(contentsOfFile: path("output"), encoding: .utf8)
        .trimmingCharacters(in: .newlines)
    }
  }

  func revision(_ name: String, in directory: String) throws -> String {
    try git("rev-parse", "--verify", name, in: directory)
    return try output
  }

  /// A copy with its own files; times and owners stay, so that an index fits.
  func copy(_ source: String, to target: String) throws {
    try remove(target)
    try run(["cp", "-a", path(source), path(target)])
  }

  /// Does nothing where there is nothing.
  func move(_ source: String, to target: String) throws {
    guard FileManager.default.fileExists(atPath: path(source)) else { return }
    try FileManager.default.moveItem(atPath: path(source), toPath: path(target))
  }

  /// What was written so far does not slow down what is measured next.
  func settle() { sync() }

  /// That the checkout is there; also that the index is written: what follows the receipt does not disturb the next run.
  func require(_ commit: String, in checkout: String) throws {
    let found = try revision("HEAD", in: checkout)
    guard found == commit else {
      throw ProgramFailure(description: "\(checkout) is at \(found), not at \(commit)")
    }
    repeat {
      try git("diff-index", "--cached", "HEAD", in: checkout)
    } while try !output.isEmpty
  }
}
