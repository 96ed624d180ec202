import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.zip.*;

/** Reads a zip by its directory and as a stream, and prints each entry's name and checksum twice. */
class Unpack {
    static String sum(InputStream in) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(in.readAllBytes());
        return Long.toHexString(crc.getValue());
    }

    public static void main(String[] arguments) throws IOException {
        Map<String, String> byDirectory = new TreeMap<>();
        try (ZipFile zip = new ZipFile(arguments[0])) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                byDirectory.put(entry.getName(), sum(zip.getInputStream(entry)));
            }
        }
        Map<String, String> asStream = new TreeMap<>();
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(Path.of(arguments[0])))) {
            for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) {
                asStream.put(entry.getName(), sum(zip));
            }
        }
        if (!byDirectory.equals(asStream)) throw new IOException("the two ways differ: " + byDirectory + asStream);
        byDirectory.forEach((name, crc) -> System.out.println(name + " " + crc));
    }
}
