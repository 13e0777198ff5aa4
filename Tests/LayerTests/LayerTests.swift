import Foundation
import Testing

/// docs/architecture.md, "Layers", is what the sources and Package.swift say: SwiftPM itself lets anyone import anything
/// that can be reached.
@Suite struct LayerTests {
  private static let system: Set<String> = [
    "Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Dispatch",
  ]

  private let table: LayerTable
  private let manifest: Manifest

  init() throws {
    table = try LayerTable()
    manifest = try Manifest()
  }

  @Test func `table manifest and folders name the same targets`() throws {
    #expect(Set(table.rows.keys) == Set(manifest.dependencies.keys))
    #expect(Set(table.rows.keys) == (try Package.targetDirectories()))
  }

  @Test func `manifest has the tables dependencies`() {
    for (target, row) in table.rows {
      #expect(manifest.dependencies[target] == row.mayImport, "\(target)")
    }
  }

  @Test func `every import is allowed and every dependency imported`() throws {
    for (target, row) in table.rows {
      var imported: Set<String> = []
      for path in try Package.sources(of: target) {
        let names = try Self.imports(of: path)
        let strangers = names.subtracting(row.mayImport).subtracting(Self.system)
        #expect(strangers.isEmpty, "\(path) imports \(strangers)")
        imported.formUnion(names)
      }
      let unused = row.mayImport.subtracting(imported)
      #expect(unused.isEmpty, "\(target) does not use \(unused)")
    }
  }

  @Test func `targets import lower layers only`() {
    for (target, row) in table.rows {
      for name in row.mayImport {
        guard let other = table.rows[name] else { continue }
        #expect(other.layer < row.layer, "\(target) imports \(name)")
      }
    }
  }

  /// `CLinux` is no library: it declares calls of the kernel that any wrapper may need.
  @Test func `every c module is imported by one target`() throws {
    for (name, row) in table.rows
    where row.layer == 0 && !["GitModel", "Diagnostics", "Threads", "CLinux"].contains(name) {
      let importers = table.rows.filter { $0.value.mayImport.contains(name) }.keys
      #expect(importers.count == 1, "\(name) is imported by \(importers.sorted())")
    }
  }

  /// A table that is never at odds with anything would pass as well.
  @Test func `knows an import whatever is in front of it`() throws {
    let text = """
      import A
      package import B
      @preconcurrency private import C
      // import D
      import struct E.F
      let text = "import G"
      """
    #expect(Self.imports(in: text) == ["A", "B", "C", "E"])
  }

  private static func imports(of path: String) throws -> Set<String> {
    imports(in: try Package.text(path))
  }

  private static func imports(in text: String) -> Set<String> {
    let line = /^(?:@\w+ |\w+ )*import (?:(?:struct|class|enum|func|let|var|protocol) )?(\w+)/
    return Set(
      SourceText(text).code.matches(of: line.anchorsMatchLineEndings())
        .map { String($0.output.1) })
  }
}
