import Foundation
import TestSupport
import Testing

/// What the documents say is what the program does.
struct DocumentTests {
  private static let directory = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: directory.appendingPathComponent(path), encoding: .utf8)
  }

  private static func pages() throws -> [String] {
    let below = try FileManager.default.subpathsOfDirectory(
      atPath: directory.appendingPathComponent("docs").path)
    return ["README.md"] + below.filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }
  }

  /// The shell commands of a page.
  private static func commands(in text: String) -> String {
    text.components(separatedBy: "```sh\n").dropFirst()
      .compactMap { $0.components(separatedBy: "\n```").first }.joined(separator: "\n")
  }

  @Test(arguments: ["commands", "configuration", "events", "refusals"])
  func `a page of the reference is what the program prints; if not: make reference`(
    page: String
  ) throws {
    let installation = try Installation()
    let printed = try installation.succeed("reference", page)
    #expect(try Self.text("docs/reference/\(page).md") == printed + "\n")
  }

  @Test func `the quickstart runs as it stands`() throws {
    let folder = try PipelineFolder()
    let script = try folder.write(
      "quickstart",
      "set -e\nPATH=\(Bundle.main.bundleURL.path):$PATH\n"
        + Self.commands(in: try Self.text("docs/quickstart.md")).replacing(
          "25557", with: "\(try FreePort.endpoint().split(separator: ":").last ?? "25557")"))
    let result = try PipelineProgram("/bin/bash", in: folder).run([script])
    #expect(result.status == 0, "\(result.text)\(result.errors)")
    #expect(result.text.contains("web1: main") && result.text.contains("applied"))
  }

  @Test func `every command and option that a page names is there`() throws {
    let installation = try Installation()
    var help: [String: String] = [:]
    var count = 0
    for page in try Self.pages() {
      let text = try Self.text(page)
      for match in text.matches(
        of:
          #/
          \bdistro\ (keygen|sign-and-send|verify-apply|relay|serve|status|doctor|carry)
          ((?:\ [^\n`|]*)?)
          /#
      ) {
        let command = String(match.output.1)
        let arguments = String(match.output.2)
        guard arguments.contains(" --") else { continue }
        if help[command] == nil { help[command] = try installation.succeed("help", command) }
        for option in arguments.prefix(while: { $0 != "#" }).matches(of: /--[a-z-]+/) {
          count += 1
          let name = String(option.output)
          #expect(help[command]?.contains(name) == true, "\(page): distro \(command) \(name)")
        }
      }
    }
    #expect(count > 30)
  }

  @Test func `links between pages lead somewhere`() throws {
    for page in try Self.pages() {
      let text = try Self.text(page)
      let folder = Self.directory.appendingPathComponent(page).deletingLastPathComponent()
      for match in text.matches(of: /\]\(([^)#:\s]+)(?:#[^)]*)?\)/) {
        let path = folder.appendingPathComponent(String(match.output.1)).path
        #expect(FileManager.default.fileExists(atPath: path), "\(page): \(match.output.1)")
      }
    }
  }

  @Test func `the first page and the how-tos stay short`() throws {
    #expect(try Self.text("README.md").count { $0 == "\n" } <= 120)
    for page in try Self.pages() where page.hasPrefix("docs/how-to/") {
      #expect(try Self.text(page).count { $0 == "\n" } <= 40, "\(page)")
    }
    for page in try Self.pages()
    where page == "README.md" || page.hasPrefix("docs/how-to") || page.hasPrefix("docs/quick") {
      for line in try Self.text(page).split(separator: "\n") where !line.hasPrefix("|") {
        let isLong = line.count > 120
        #expect(!isLong, "\(page): \(line)")
      }
    }
  }
}
