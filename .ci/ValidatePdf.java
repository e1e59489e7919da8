// Whether PDFs are valid PDF/UA-1: started by validate-pdf, with veraPDF on the class path.
import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;

class ValidatePdf {
    public static void main(String[] files) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        boolean valid = true;
        for (String file : files) {
            valid &= isValid(file);
        }
        System.exit(valid ? 0 : 1);
    }

    static boolean isValid(String file) throws Exception {
        var flavour = PDFAFlavour.PDFUA_1;
        var foundry = Foundries.defaultInstance();
        try (var parser = foundry.createParser(new FileInputStream(file), flavour);
                var validator = foundry.createValidator(flavour, false)) {
            var result = validator.validate(parser);
            var verdict = result.isCompliant() ? "valid PDF/UA-1" : "not valid PDF/UA-1";
            System.out.printf("%s: %s (%d checks)%n", file, verdict, result.getTotalAssertions());
            result.getTestAssertions().stream()
                .filter(check -> check.getStatus() == TestAssertion.Status.FAILED)
                .limit(20)
                .forEach(check -> System.out.println("  " + check.getRuleId() + " " + check.getMessage()));
            return result.isCompliant();
        }
    }
}
