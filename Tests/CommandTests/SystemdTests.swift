import Foundation
import TestSupport
import Testing

private enum SystemdAnalyze {
  static let path = "/usr/bin/systemd-analyze"
  static let isInstalled = FileManager.default.isExecutableFile(atPath: path)
}

/// The units in config/systemd, judged by systemd's own tool; where it is not there, `make deps` installs it.
@Suite(.enabled(if: SystemdAnalyze.isInstalled, "systemd-analyze is not installed"))
struct SystemdTests {
  private static let directory =
    URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    + "/config/systemd"
  private static let names = ["distro-relay", "distro-serve", "distro-verify-apply"]

  private let folder: PipelineFolder

  init() throws { folder = try PipelineFolder() }

  private func analyze(_ arguments: String...) throws -> ProgramResult {
    try PipelineProgram(SystemdAnalyze.path, in: folder).run(arguments)
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(Self.directory)/\(name).service", encoding: .utf8)
  }

  @Test func thereIsNoOther() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.directory)
    #expect(files.sorted() == Self.names.map { $0 + ".service" })
  }

  /// Twenty tenths is the line: systemd calls up to 4.9 "OK".
  @Test(arguments: names) func exposureIsLow(name: String) throws {
    let unit = "\(Self.directory)/\(name).service"
    let result = try analyze(
      "security", "--offline=true", "--no-pager", "--threshold=20", unit)
    #expect(result.status == 0, "\(result.text.suffix(200))\(result.errors)")
    #expect(result.text.contains("Overall exposure level for \(name).service: 1."))
  }

  @Test(arguments: names) func systemdUnderstandsIt(name: String) throws {
    // Not installed where the unit says: the program that is tested stands in.
    let unit = try text(name).replacing("/usr/local/bin/distro", with: Installation.executable)
    try folder.write("\(name).service", unit)
    let result = try analyze("verify", "--man=no", folder.path("\(name).service"))
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
  }

  @Test(arguments: names) func startsACommandThatThereIs(name: String) throws {
    let line = try #require(
      try text(name).split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
    let words = line.split(separator: " ")
    #expect(words[2] == "--config" && words[3].hasPrefix("/etc/distro/"))
    let program = PipelineProgram(Installation.executable, in: folder)
    #expect(try program.run([String(words[1]), "--help"]).status == 0)
  }
}
